#include "graph.h"

#include <libavutil/channel_layout.h>
#include <libavutil/mem.h>
#include <string.h>

int millraceGraphSource(AVFilterGraph *graph, const char *name, const AVFrame *like,
                        AVRational base, AVRational rate, AVFilterContext **source) {
    const char *kind = like->width > 0 ? "buffer" : "abuffer";
    AVFilterContext *made = avfilter_graph_alloc_filter(graph, avfilter_get_by_name(kind), name);
    AVBufferSrcParameters *p = av_buffersrc_parameters_alloc();
    if (!made || !p) {
        av_free(p);
        return AVERROR(ENOMEM);
    }
    p->format = like->format;
    p->time_base = base;
    p->width = like->width;
    p->height = like->height;
    p->sample_aspect_ratio = like->sample_aspect_ratio;
    p->frame_rate = rate;
    p->color_space = like->colorspace;
    p->color_range = like->color_range;
    p->sample_rate = like->sample_rate;
    p->ch_layout = like->ch_layout;
    int err = av_buffersrc_parameters_set(made, p);
    av_free(p);
    if (err >= 0)
        err = avfilter_init_dict(made, NULL);
    *source = made;
    return err;
}

int millraceGraphSink(AVFilterGraph *graph, const char *name, const AVFilterInOut *from,
                      AVFilterContext **sink) {
    const char *kind = millraceOpenPad(from, 1) == AVMEDIA_TYPE_VIDEO ? "buffersink" : "abuffersink";
    int err = avfilter_graph_create_filter(sink, avfilter_get_by_name(kind), name, NULL, NULL, graph);
    return err < 0 ? err : avfilter_link(from->filter_ctx, from->pad_idx, *sink, 0);
}

enum AVMediaType millraceOpenPad(const AVFilterInOut *open, int output) {
    const AVFilterContext *f = open->filter_ctx;
    return avfilter_pad_get_type(output ? f->output_pads : f->input_pads, open->pad_idx);
}

void millraceGraphLargest(const AVFilterGraph *graph, int64_t *pixels, int *side) {
    *pixels = 0;
    *side = 0;
    for (unsigned i = 0; i < graph->nb_filters; i++) {
        const AVFilterContext *f = graph->filters[i];
        for (unsigned j = 0; j < f->nb_outputs; j++) {
            const AVFilterLink *l = f->outputs[j];
            if (!l || l->type != AVMEDIA_TYPE_VIDEO)
                continue;
            int64_t n = (int64_t)l->w * l->h;
            if (n > *pixels)
                *pixels = n;
            if (l->w > *side)
                *side = l->w;
            if (l->h > *side)
                *side = l->h;
        }
    }
}

AVFilterContext *millraceGraphFind(const AVFilterGraph *graph, const char *target) {
    AVFilterContext *kind = NULL;
    for (unsigned i = 0; i < graph->nb_filters; i++) {
        AVFilterContext *f = graph->filters[i];
        const char *label = f->name ? strchr(f->name, '@') : NULL;
        if (f->name && (!strcmp(f->name, target) || (label && !strcmp(label + 1, target))))
            return f;
        if (!kind && !strcmp(f->filter->name, target))
            kind = f;
    }
    return kind;
}

int millraceNameChannels(AVFrame *frame) {
    int channels = frame->ch_layout.nb_channels;
    if (frame->width > 0 || frame->ch_layout.order != AV_CHANNEL_ORDER_UNSPEC || channels <= 0)
        return 0;
    av_channel_layout_uninit(&frame->ch_layout);
    av_channel_layout_default(&frame->ch_layout, channels);
    return 0;
}

AVFilterParams *millraceSegmentFilter(const AVFilterGraphSegment *segment, int i) {
    for (size_t c = 0; c < segment->nb_chains; c++) {
        const AVFilterChain *chain = segment->chains[c];
        if ((size_t)i < chain->nb_filters)
            return chain->filters[i];
        i -= chain->nb_filters;
    }
    return NULL;
}
