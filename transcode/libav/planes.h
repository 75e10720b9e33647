#ifndef MILLRACE_PLANES_H
#define MILLRACE_PLANES_H

#include <libavutil/frame.h>

/* The number of planes that a frame's memory has. */
int millracePlanes(const AVFrame *frame);

/* One plane, its bytes a line (the size of the plane for sound), and how many
 * bytes may be touched: NULL where there is none, or where lines stand from
 * bottom to top. */
uint8_t *millracePlane(const AVFrame *frame, int i, int *stride, size_t *size);

/* How many bytes the buffers take that a frame refers to. */
int64_t millraceBytes(const AVFrame *frame);

/* Whether any plane's lines stand from bottom to top. */
int millraceUpsideDown(const AVFrame *frame);

/* Whether a picture's first plane is its brightness, a byte a pixel. */
int millraceHasLuma(const AVFrame *frame);

/* Whether brightness counts from 0 to 255. */
int millraceFullRange(const AVFrame *frame);

/* Sum of absolute differences of two planes, of bytes. */
uint64_t millraceDifference(const uint8_t *a, int strideA, const uint8_t *b, int strideB, int width, int height);

/* Counts the bytes of a plane. */
void millraceCount(const uint8_t *a, int stride, int width, int height, uint32_t counts[256]);

/* The square sum and the peak of one channel, 1 being full scale; an error
 * where the sample format is not known. */
int millraceLevel(const AVFrame *frame, int channel, double *squares, double *peak);

#endif
