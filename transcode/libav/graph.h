#ifndef MILLRACE_GRAPH_H
#define MILLRACE_GRAPH_H

#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>

/* Makes the source of a graph for frames like one of them. */
int millraceGraphSource(AVFilterGraph *graph, const char *name, const AVFrame *like,
                        AVRational base, AVRational rate, AVFilterContext **source);

/* Makes a sink of a graph and links it. */
int millraceGraphSink(AVFilterGraph *graph, const char *name, const AVFilterInOut *from,
                      AVFilterContext **sink);

/* What a pad that a description leaves open takes or gives. */
enum AVMediaType millraceOpenPad(const AVFilterInOut *open, int output);

/* The largest picture, in pixels, and the longest side that a configured graph
 * makes anywhere. */
void millraceGraphLargest(const AVFilterGraph *graph, int64_t *pixels, int *side);

/* The filter that a command to target goes to, NULL if there is none: by the
 * name of its instance, what stands after its @, or its kind. */
AVFilterContext *millraceGraphFind(const AVFilterGraph *graph, const char *target);

/* Gives a frame that names a number of channels and no arrangement the usual
 * one. */
int millraceNameChannels(AVFrame *frame);

/* Which of a filter description's filters, counted over all chains, is wanted;
 * NULL after the last. */
AVFilterParams *millraceSegmentFilter(const AVFilterGraphSegment *segment, int i);

#endif
