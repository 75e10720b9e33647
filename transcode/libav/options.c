#include "options.h"

#include <libavutil/avstring.h>
#include <libavutil/mem.h>
#include <libavutil/pixdesc.h>
#include <libavutil/samplefmt.h>
#include <string.h>

char *millraceDefault(const AVOption *o) {
    if (o->type & AV_OPT_TYPE_FLAG_ARRAY) {
        const AVOptionArrayDef *d = o->default_val.arr;
        return d && d->def ? av_strdup(d->def) : NULL;
    }
    switch (o->type) {
    case AV_OPT_TYPE_FLAGS:
    case AV_OPT_TYPE_INT:
    case AV_OPT_TYPE_INT64:
    case AV_OPT_TYPE_UINT:
    case AV_OPT_TYPE_UINT64:
        return av_asprintf("%lld", (long long)o->default_val.i64);
    case AV_OPT_TYPE_BOOL:
        return av_strdup(o->default_val.i64 < 0 ? "auto" : o->default_val.i64 ? "true" : "false");
    case AV_OPT_TYPE_DURATION:
        return av_asprintf("%g", o->default_val.i64 / 1e6);
    case AV_OPT_TYPE_DOUBLE:
    case AV_OPT_TYPE_FLOAT:
    case AV_OPT_TYPE_RATIONAL:
        return av_asprintf("%g", o->default_val.dbl);
    case AV_OPT_TYPE_PIXEL_FMT: {
        const char *name = av_get_pix_fmt_name(o->default_val.i64);
        return name ? av_strdup(name) : NULL;
    }
    case AV_OPT_TYPE_SAMPLE_FMT: {
        const char *name = av_get_sample_fmt_name(o->default_val.i64);
        return name ? av_strdup(name) : NULL;
    }
    case AV_OPT_TYPE_STRING:
    case AV_OPT_TYPE_DICT:
    case AV_OPT_TYPE_IMAGE_SIZE:
    case AV_OPT_TYPE_VIDEO_RATE:
    case AV_OPT_TYPE_COLOR:
    case AV_OPT_TYPE_CHLAYOUT:
        return o->default_val.str ? av_strdup(o->default_val.str) : NULL;
    default:
        return NULL;
    }
}

int millraceAccepts(const AVClass *class, const AVOption *option, const char *value) {
    /* An object that has this one option, with room for a value of any type
     * and for the count that stands behind an array. */
    struct {
        const AVClass *class;
        union {
            char bytes[256];
            void *pointer;
            double number;
        } value;
    } object = {0};
    size_t n = 2;
    const AVOption *o = NULL;
    while ((o = av_opt_next(&class, o)))
        n++;
    AVOption *options = av_calloc(n, sizeof(*options));
    if (!options)
        return AVERROR(ENOMEM);
    n = 0;
    options[n] = *option;
    options[n++].offset = (char *)&object.value - (char *)&object;
    for (o = NULL; (o = av_opt_next(&class, o));)
        if (o->type == AV_OPT_TYPE_CONST && option->unit && o->unit && !strcmp(o->unit, option->unit))
            options[n++] = *o;
    AVClass one = {
        .class_name = class->class_name,
        .item_name = av_default_item_name,
        .option = options,
        .version = LIBAVUTIL_VERSION_INT,
    };
    object.class = &one;
    int err = av_opt_set(&object, option->name, value, 0);
    av_opt_free(&object);
    av_free(options);
    return err;
}

int64_t millraceConstant(const AVOption *option) { return option->default_val.i64; }

const AVClass *millraceMuxerClass(const char *name) {
    const AVOutputFormat *f = av_guess_format(name, NULL, NULL);
    return f ? f->priv_class : NULL;
}

const AVClass *millraceDemuxerClass(const char *name) {
    const AVInputFormat *f = av_find_input_format(name);
    return f ? f->priv_class : NULL;
}
