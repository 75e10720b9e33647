#include "planes.h"

#include <libavutil/common.h>
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
#include <libavutil/samplefmt.h>
#include <math.h>
#include <stdlib.h>

int millracePlanes(const AVFrame *frame) {
    if (frame->width > 0) {
        int n = 0;
        while (n < 4 && frame->data[n])
            n++;
        return n;
    }
    return av_sample_fmt_is_planar(frame->format) ? frame->ch_layout.nb_channels : frame->nb_samples > 0;
}

/* available is how many bytes of its buffer follow a pointer. */
static size_t available(const AVFrame *frame, const uint8_t *data) {
    for (int i = 0; i < AV_NUM_DATA_POINTERS + frame->nb_extended_buf; i++) {
        const AVBufferRef *b = i < AV_NUM_DATA_POINTERS ? frame->buf[i]
                                                        : frame->extended_buf[i - AV_NUM_DATA_POINTERS];
        if (b && data >= b->data && data < b->data + b->size)
            return b->data + b->size - data;
    }
    return 0;
}

uint8_t *millracePlane(const AVFrame *frame, int i, int *stride, size_t *size) {
    *stride = 0;
    *size = 0;
    if (i < 0 || i >= millracePlanes(frame))
        return NULL;
    if (frame->width <= 0) {
        int channels = av_sample_fmt_is_planar(frame->format) ? 1 : frame->ch_layout.nb_channels;
        uint8_t *data = frame->extended_data[i];
        *size = (size_t)frame->nb_samples * channels * av_get_bytes_per_sample(frame->format);
        *stride = (int)*size;
        return *size <= available(frame, data) ? data : NULL;
    }
    uint8_t *data = frame->data[i];
    size_t sizes[4];
    ptrdiff_t strides[4];
    for (int p = 0; p < 4; p++) {
        if (frame->linesize[p] < 0)
            return NULL;
        strides[p] = frame->linesize[p];
    }
    if (av_image_fill_plane_sizes(sizes, frame->format, frame->height, strides) < 0)
        return NULL;
    /* A cropped picture may end before the end of its last line. */
    *size = FFMIN(sizes[i], available(frame, data));
    *stride = frame->linesize[i];
    return *size ? data : NULL;
}

int64_t millraceBytes(const AVFrame *frame) {
    int64_t n = 0;
    for (int i = 0; i < AV_NUM_DATA_POINTERS; i++)
        if (frame->buf[i])
            n += frame->buf[i]->size;
    for (int i = 0; i < frame->nb_extended_buf; i++)
        n += frame->extended_buf[i]->size;
    return n;
}

int millraceUpsideDown(const AVFrame *frame) {
    if (frame->width > 0)
        for (int p = 0; p < 4; p++)
            if (frame->linesize[p] < 0)
                return 1;
    return 0;
}

int millraceHasLuma(const AVFrame *frame) {
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(frame->format);
    return d && d->nb_components > 0 && frame->linesize[0] > 0 &&
           !(d->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM |
                         AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_BAYER | AV_PIX_FMT_FLAG_FLOAT)) &&
           d->comp[0].depth == 8 && d->comp[0].plane == 0 && d->comp[0].step == 1 &&
           d->comp[0].offset == 0 && d->comp[0].shift == 0;
}

int millraceFullRange(const AVFrame *frame) {
    switch (frame->format) {
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUVJ444P:
    case AV_PIX_FMT_YUVJ440P:
    case AV_PIX_FMT_YUVJ411P:
    case AV_PIX_FMT_GRAY8:
        return frame->color_range != AVCOL_RANGE_MPEG;
    }
    return frame->color_range == AVCOL_RANGE_JPEG;
}

uint64_t millraceDifference(const uint8_t *a, int strideA, const uint8_t *b, int strideB, int width, int height) {
    uint64_t sum = 0;
    for (int y = 0; y < height; y++) {
        const uint8_t *p = a + (size_t)y * strideA, *q = b + (size_t)y * strideB;
        uint32_t line = 0;
        for (int x = 0; x < width; x++)
            line += abs(p[x] - q[x]);
        sum += line;
    }
    return sum;
}

void millraceCount(const uint8_t *a, int stride, int width, int height, uint32_t counts[256]) {
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            counts[a[(size_t)y * stride + x]]++;
}

#define LEVEL(type, value)                                                                      \
    for (int i = 0; i < frame->nb_samples; i++) {                                               \
        const type s = ((const type *)data)[(size_t)i * step + offset];                         \
        double v = value;                                                                       \
        sum += v * v;                                                                           \
        top = FFMAX(top, fabs(v));                                                              \
    }                                                                                           \
    break

int millraceLevel(const AVFrame *frame, int channel, double *squares, double *peak) {
    int planar = av_sample_fmt_is_planar(frame->format);
    const uint8_t *data = frame->extended_data[planar ? channel : 0];
    int step = planar ? 1 : frame->ch_layout.nb_channels, offset = planar ? 0 : channel;
    double sum = 0, top = 0;
    switch (av_get_packed_sample_fmt(frame->format)) {
    case AV_SAMPLE_FMT_U8: LEVEL(uint8_t, (s - 128) / 128.0);
    case AV_SAMPLE_FMT_S16: LEVEL(int16_t, s / 32768.0);
    case AV_SAMPLE_FMT_S32: LEVEL(int32_t, s / 2147483648.0);
    case AV_SAMPLE_FMT_S64: LEVEL(int64_t, s / 9223372036854775808.0);
    case AV_SAMPLE_FMT_FLT: LEVEL(float, s);
    case AV_SAMPLE_FMT_DBL: LEVEL(double, s);
    default: return AVERROR(EINVAL);
    }
    *squares = sum;
    *peak = top;
    return 0;
}
