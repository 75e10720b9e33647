#ifndef MILLRACE_SHIM_H
#define MILLRACE_SHIM_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/avutil.h>
#include <libavutil/frame.h>
#include <libswresample/swresample.h>

/* Routes FFmpeg's log to Go: messages up to level, each cut at 1023 bytes. */
void millraceLogStart(int level);

/* Has the calling thread's messages up to warnings written into a buffer, the
 * first ones that fit, in place of the log; NULL ends that. */
void millraceListen(char *into, int size);

/* Sends one payload in Go memory to a decoder. FFmpeg makes its own padded
 * copy before the call returns. data may be NULL to drain. */
int millraceSend(AVCodecContext *codec, AVPacket *packet, const uint8_t *data,
                 int size, int64_t pts, int64_t dts, int64_t duration, int key);

/* Forgets what a decoder or encoder holds. */
void millraceFlush(AVCodecContext *codec);

/* Sets what go-astiav has no setter for. */
void millraceSetReorder(AVCodecContext *codec, int frames);
int millraceReorder(const AVCodecContext *codec);
int millraceInitialPadding(const AVCodecContext *codec);
void millraceSetPacketTimeBase(AVCodecContext *codec, int num, int den);

/* Declares the colours of a frame in what an encoder writes. */
void millraceSetColours(AVCodecContext *codec, const AVFrame *frame);

/* What FFmpeg found out about an elementary stream and go-astiav hides. */
typedef struct {
    int depth, chromaWidth, chromaHeight; /* log2 of the subsampling, -1 unknown */
    int interlaced, delay;
    int bits; /* of a sample, as the container says */
} millraceDetails;
millraceDetails millraceStreamDetails(const AVCodecParameters *parameters);

/* The codec with a descriptor of that name, AV_CODEC_ID_NONE if there is none. */
int millraceCodecNamed(const char *name);
const char *millraceProfileName(const AVCodecParameters *parameters);

/* Whether a picture is coded as two fields. */
int millraceInterlaced(const AVFrame *frame);

/* Makes the next samples last delta samples longer over the next distance. */
int millraceStretch(SwrContext *swr, int delta, int distance);

/* Leaves out the first n samples of a frame that nobody else shares. */
int millraceSkipSamples(AVFrame *frame, int n);

/* Reports a frame's place on the input's timeline, by whatever is known. */
int64_t millraceBestPTS(const AVFrame *frame);

#endif
