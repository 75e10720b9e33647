#include "shim.h"
#include "_cgo_export.h"

#include <libavutil/common.h>
#include <libavutil/log.h>
#include <libavutil/pixdesc.h>
#include <libavutil/samplefmt.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

/* A broken input can log once a macroblock row: more than this many lines a
 * second are counted, not formatted. */
#define LINES_A_SECOND 20

static atomic_int logLevel = AV_LOG_WARNING;
static atomic_llong logSecond;
static atomic_int logLines;
static atomic_int logDropped;

/* What a thread that listens hears: whole lines, the first ones. */
static _Thread_local char *heard;
static _Thread_local int heardSize, heardLength;
static atomic_int logStarted;

static void hear(void *object, int level, const char *format, va_list args) {
    int prefix = 0;
    if (level > AV_LOG_WARNING || heardSize - heardLength < 2)
        return;
    int n = av_log_format_line2(object, level, format, args, heard + heardLength,
                                heardSize - heardLength, &prefix);
    if (n > 0)
        heardLength += FFMIN(n, heardSize - heardLength - 1);
}

static void logLine(void *object, int level, const char *format, va_list args) {
    char line[1024];
    int prefix = 1;
    struct timespec now;

    if (level < 0)
        return;
    level &= 0xff;
    if (heard) {
        hear(object, level, format, args);
        return;
    }
    if (!atomic_load_explicit(&logStarted, memory_order_relaxed)) {
        av_log_default_callback(object, level, format, args);
        return;
    }
    if (level > atomic_load_explicit(&logLevel, memory_order_relaxed))
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long long second = atomic_load(&logSecond);
    if (second != now.tv_sec && atomic_compare_exchange_strong(&logSecond, &second, now.tv_sec))
        atomic_store(&logLines, 0);
    if (atomic_fetch_add(&logLines, 1) >= LINES_A_SECOND) {
        atomic_fetch_add(&logDropped, 1);
        return;
    }
    if (av_log_format_line2(object, level, format, args, line, sizeof line, &prefix) < 0)
        return;
    line[sizeof line - 1] = 0;
    millraceLog(level, line, (int)strlen(line), atomic_exchange(&logDropped, 0));
}

void millraceLogStart(int level) {
    atomic_store(&logLevel, level);
    atomic_store(&logStarted, 1);
    av_log_set_level(level);
    av_log_set_callback(logLine);
}

void millraceListen(char *into, int size) {
    av_log_set_callback(logLine);
    heard = into;
    heardSize = size;
    heardLength = 0;
    if (into)
        into[0] = 0;
}

int millraceSend(AVCodecContext *codec, AVPacket *packet, const uint8_t *data,
                 int size, int64_t pts, int64_t dts, int64_t duration, int key) {
    if (!data)
        return avcodec_send_packet(codec, NULL);
    /* Without a buffer of its own the packet is copied, with padding, inside
     * avcodec_send_packet: no pointer into Go memory outlives this call. */
    packet->buf = NULL;
    packet->data = (uint8_t *)data;
    packet->size = size;
    packet->pts = pts;
    packet->dts = dts;
    packet->duration = duration;
    packet->flags = key ? AV_PKT_FLAG_KEY : 0;
    int err = avcodec_send_packet(codec, packet);
    packet->data = NULL;
    packet->size = 0;
    return err;
}

void millraceFlush(AVCodecContext *codec) { avcodec_flush_buffers(codec); }

void millraceSetReorder(AVCodecContext *codec, int frames) { codec->has_b_frames = frames; }

int millraceReorder(const AVCodecContext *codec) { return codec->has_b_frames; }

int millraceInitialPadding(const AVCodecContext *codec) { return codec->initial_padding; }

void millraceSetPacketTimeBase(AVCodecContext *codec, int num, int den) {
    codec->pkt_timebase = (AVRational){num, den};
}

void millraceSetColours(AVCodecContext *codec, const AVFrame *frame) {
    codec->color_primaries = frame->color_primaries;
    codec->color_trc = frame->color_trc;
    codec->colorspace = frame->colorspace;
    codec->color_range = frame->color_range;
    codec->chroma_sample_location = frame->chroma_location;
}

millraceDetails millraceStreamDetails(const AVCodecParameters *p) {
    millraceDetails d = {0, -1, -1, 0, p->video_delay, p->bits_per_coded_sample};
    if (p->codec_type != AVMEDIA_TYPE_VIDEO)
        return d;
    const AVPixFmtDescriptor *f = av_pix_fmt_desc_get(p->format);
    if (f && f->nb_components > 0) {
        d.depth = f->comp[0].depth;
        if (f->nb_components >= 3 && !(f->flags & AV_PIX_FMT_FLAG_RGB)) {
            d.chromaWidth = f->log2_chroma_w;
            d.chromaHeight = f->log2_chroma_h;
        }
    }
    d.interlaced = p->field_order > AV_FIELD_PROGRESSIVE;
    return d;
}

int millraceCodecNamed(const char *name) {
    const AVCodecDescriptor *d = avcodec_descriptor_get_by_name(name);
    return d ? d->id : AV_CODEC_ID_NONE;
}

const char *millraceProfileName(const AVCodecParameters *p) {
    return avcodec_profile_name(p->codec_id, p->profile);
}

int millraceInterlaced(const AVFrame *frame) {
    return (frame->flags & AV_FRAME_FLAG_INTERLACED) != 0;
}

int millraceStretch(SwrContext *swr, int delta, int distance) {
    return swr_set_compensation(swr, delta, distance);
}

int millraceSkipSamples(AVFrame *frame, int n) {
    int channels = frame->ch_layout.nb_channels;
    if (n <= 0 || n >= frame->nb_samples)
        return AVERROR(EINVAL);
    int err = av_samples_copy(frame->extended_data, frame->extended_data, 0, n,
                              frame->nb_samples - n, channels, frame->format);
    if (err >= 0)
        frame->nb_samples -= n;
    return err;
}

int64_t millraceBestPTS(const AVFrame *frame) {
    return frame->pts != AV_NOPTS_VALUE ? frame->pts : frame->best_effort_timestamp;
}
