package libav

/*
#cgo pkg-config: libavfilter libavutil
#include <errno.h>
#include <stdlib.h>
#include "graph.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"strconv"
	"unsafe"

	"github.com/asticode/go-astiav"

	"github.com/millrace/millrace/internal/media"
)

// graph is a configured libavfilter graph with a source for each input and a
// sink for each output that its description leaves open.
type graph struct {
	c       *C.AVFilterGraph
	sources []*C.AVFilterContext
	sinks   []*C.AVFilterContext
	clocks  []clock // of the sinks
}

// clock is how a sink counts.
type clock struct {
	num, den int            // seconds a tick
	rate     media.Rational // frames a second, unknown where it varies
}

// input says what frames an input of a graph gets: such as like, at times
// counted in ticks of rate.
type input struct {
	like  *astiav.Frame
	clock int
	rate  media.Rational
}

// ErrTooLarge marks a picture, or a run of samples, of a size that nobody
// means.
var ErrTooLarge = errors.New("too large")

// The largest picture: 16384 × 4096, or any other shape of as many pixels.
const (
	mostPixels = 1 << 26
	mostSide   = 1 << 14
)

func checkSize(width, height int) error {
	if width <= 0 || height <= 0 {
		return fmt.Errorf("a picture of %dx%d: %w", width, height, ErrShape)
	}
	if width > mostSide || height > mostSide || int64(width)*int64(height) > mostPixels {
		return fmt.Errorf("a picture of %dx%d is %w: %d pixels a side and %d in all can be made",
			width, height, ErrTooLarge, mostSide, mostPixels)
	}
	return nil
}

// newGraph builds what description says for such inputs. threads of 0 leaves
// their number to libavfilter.
func newGraph(description string, inputs []input, threads int) (_ *graph, err error) {
	g := &graph{c: C.avfilter_graph_alloc()}
	if g.c == nil {
		return nil, ErrMemory
	}
	defer func() {
		if err != nil {
			g.free()
		}
	}()
	g.c.nb_threads = C.int(threads)
	words := listen()
	err = g.build(description, inputs)
	said := words.stop()
	if err != nil && said != "" {
		return nil, fmt.Errorf("%w (%s)", err, said)
	}
	return g, err
}

func (g *graph) build(description string, inputs []input) error {
	open, err := parseGraph(g.c, description)
	if err != nil {
		return err
	}
	defer open.free()
	if err := open.expect(len(inputs)); err != nil {
		return err
	}
	for i, in := range inputs {
		name := C.CString("in" + strconv.Itoa(i))
		var source *C.AVFilterContext
		rate := C.AVRational{num: C.int(in.rate.Num), den: C.int(max(in.rate.Den, 1))}
		code := C.millraceGraphSource(g.c, name, framePointer(in.like), C.AVRational{num: 1, den: C.int(in.clock)}, rate, &source)
		C.free(unsafe.Pointer(name))
		if err := fault(code); err != nil {
			return err
		}
		to := open.inputs[i]
		if err := fault(C.avfilter_link(source, 0, to.filter_ctx, C.uint(to.pad_idx))); err != nil {
			return fmt.Errorf("input %d: %w", i, err)
		}
		g.sources = append(g.sources, source)
	}
	for i, from := range open.outputs {
		name := C.CString("out" + strconv.Itoa(i))
		var sink *C.AVFilterContext
		code := C.millraceGraphSink(g.c, name, from, &sink)
		C.free(unsafe.Pointer(name))
		if err := fault(code); err != nil {
			return fmt.Errorf("output %d: %w", i, err)
		}
		g.sinks = append(g.sinks, sink)
	}
	if err := fault(C.avfilter_graph_config(g.c, nil)); err != nil {
		return err
	}
	var pixels C.int64_t
	var side C.int
	if C.millraceGraphLargest(g.c, &pixels, &side); pixels > mostPixels || side > mostSide {
		return fmt.Errorf("a picture of %d pixels, %d at a side, is %w", pixels, side, ErrTooLarge)
	}
	for _, s := range g.sinks {
		base, rate := C.av_buffersink_get_time_base(s), C.av_buffersink_get_frame_rate(s)
		g.clocks = append(g.clocks, clock{
			num: max(int(base.num), 1), den: max(int(base.den), 1),
			rate: media.Rational{Num: int(rate.num), Den: int(rate.den)},
		})
	}
	return nil
}

// push gives an input one frame, which is only referenced; nil ends it.
func (g *graph) push(i int, f *astiav.Frame) error {
	var c *C.AVFrame
	if f != nil {
		c = framePointer(f)
		C.millraceNameChannels(c)
	}
	return fault(C.av_buffersrc_add_frame_flags(g.sources[i], c, C.AV_BUFFERSRC_FLAG_KEEP_REF))
}

// pull takes one frame of an output, counted in ticks of its clock. It reports
// false where there is none; ended says that none will come.
func (g *graph) pull(i int, into *astiav.Frame) (got, ended bool, err error) {
	err = fault(C.av_buffersink_get_frame(g.sinks[i], framePointer(into)))
	switch {
	case errors.Is(err, astiav.ErrEagain):
		return false, false, nil
	case errors.Is(err, astiav.ErrEof):
		return false, true, nil
	}
	return err == nil, false, err
}

// command changes a running filter.
func (g *graph) command(target, command, argument string) error {
	t, c, a := C.CString(target), C.CString(command), C.CString(argument)
	defer C.free(unsafe.Pointer(t))
	defer C.free(unsafe.Pointer(c))
	defer C.free(unsafe.Pointer(a))
	f := C.millraceGraphFind(g.c, t)
	if f == nil {
		return fmt.Errorf("no filter called %s", target)
	}
	words := listen()
	code := C.avfilter_process_command(f, c, a, nil, 0, 0)
	err := fault(code)
	if said := words.stop(); err != nil && said != "" {
		return fmt.Errorf("%s: %s %s: %w (%s)", target, command, argument, err, said)
	}
	if code == -C.ENOSYS {
		return fmt.Errorf("%s takes no command %s", target, command)
	}
	if err != nil {
		return fmt.Errorf("%s: %s %s: %w", target, command, argument, err)
	}
	return nil
}

func (g *graph) free() {
	C.avfilter_graph_free(&g.c)
	g.sources, g.sinks = nil, nil
}

// openPads are what a description leaves open, in the order of its inputs and
// outputs.
type openPads struct {
	firstInput, firstOutput *C.AVFilterInOut
	inputs, outputs         []*C.AVFilterInOut
}

// parseGraph makes a description's filters in a graph.
func parseGraph(g *C.AVFilterGraph, description string) (*openPads, error) {
	d := C.CString(description)
	defer C.free(unsafe.Pointer(d))
	var segment *C.AVFilterGraphSegment
	defer C.avfilter_graph_segment_free(&segment)
	if err := fault(C.avfilter_graph_segment_parse(g, d, 0, &segment)); err != nil {
		return nil, err
	}
	o := &openPads{}
	if err := fault(C.avfilter_graph_segment_apply(segment, 0, &o.firstInput, &o.firstOutput)); err != nil {
		o.free()
		return nil, err
	}
	var err error
	if o.inputs, err = inOrder(o.firstInput); err == nil {
		o.outputs, err = inOrder(o.firstOutput)
	}
	if err != nil {
		o.free()
		return nil, err
	}
	return o, nil
}

// inOrder lists pads by the numbers that their labels end in, or else as they
// stand in the description.
func inOrder(first *C.AVFilterInOut) ([]*C.AVFilterInOut, error) {
	var all []*C.AVFilterInOut
	var labels []string
	for p := first; p != nil; p = p.next {
		all = append(all, p)
		labels = append(labels, C.GoString(p.name))
	}
	order, err := places(labels)
	if err != nil || order == nil {
		return all, err
	}
	sorted := make([]*C.AVFilterInOut, len(all))
	for i, at := range order {
		sorted[at] = all[i]
	}
	return sorted, nil
}

// expect reports a wrong number of inputs.
func (o *openPads) expect(inputs int) error {
	if len(o.inputs) == inputs {
		return nil
	}
	return fmt.Errorf("the graph has %s open, %d given: %w", amount(len(o.inputs), "input"), inputs, ErrShape)
}

func amount(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// kindsOf is what the inputs take.
func kindsOf(inputs []*C.AVFilterInOut) []media.Kind {
	var kinds []media.Kind
	for _, p := range inputs {
		kind := media.Audio
		if C.millraceOpenPad(p, 0) == C.AVMEDIA_TYPE_VIDEO {
			kind = media.Video
		}
		kinds = append(kinds, kind)
	}
	return kinds
}

// labelsOf is what pads are called in the description, empty where they have
// no name.
func labelsOf(pads []*C.AVFilterInOut) []string {
	labels := make([]string, len(pads))
	for i, p := range pads {
		labels[i] = C.GoString(p.name)
	}
	return labels
}

func (o *openPads) free() {
	C.avfilter_inout_free(&o.firstInput)
	C.avfilter_inout_free(&o.firstOutput)
	o.inputs, o.outputs = nil, nil
}
