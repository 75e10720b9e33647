#ifndef MILLRACE_OPTIONS_H
#define MILLRACE_OPTIONS_H

#include <libavcodec/avcodec.h>
#include <libavfilter/avfilter.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>

/* The default of an option in text, which the caller frees; NULL where it has
 * none. */
char *millraceDefault(const AVOption *option);

/* Whether a value is one that an option takes, by FFmpeg's own parser: 0 or an
 * error code. The class is the one that the option stands in. */
int millraceAccepts(const AVClass *class, const AVOption *option, const char *value);

/* The number that a constant stands for. */
int64_t millraceConstant(const AVOption *option);

const AVClass *millraceMuxerClass(const char *name);
const AVClass *millraceDemuxerClass(const char *name);

#endif
