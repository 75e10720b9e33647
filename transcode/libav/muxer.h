#ifndef MILLRACE_MUXER_H
#define MILLRACE_MUXER_H

#include <libavformat/avformat.h>

/* Completes what a container wants to know of a stream. */
void millraceMuxed(AVCodecParameters *parameters, int64_t bitrate);

/* Writes one payload in Go memory, of which FFmpeg makes its own copy. */
int millraceWrite(AVFormatContext *format, AVPacket *packet, int stream, const uint8_t *data,
                  int size, int64_t pts, int64_t dts, int64_t duration, int key);

#endif
