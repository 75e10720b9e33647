package libav

/*
#include <stdlib.h>
#include "options.h"
*/
import "C"

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"unsafe"

	"github.com/millrace/millrace/transcode"
)

// entry is one option in FFmpeg's tables.
type entry struct {
	class *C.AVClass
	c     *C.AVOption
}

func (e entry) name() string { return C.GoString(e.c.name) }

// table is the options of one part, its own before those of all its kind.
type table struct {
	kind    transcode.OptionKind
	part    string
	entries []entry
	ours    []transcode.Option // that are not FFmpeg's own
	beside  []entry            // that may be given and are not listed
	timed   bool               // a filter that takes enable
}

// The marks of what an option is for.
const (
	forEncoders = C.AV_OPT_FLAG_ENCODING_PARAM
	forDecoders = C.AV_OPT_FLAG_DECODING_PARAM
	forSound    = C.AV_OPT_FLAG_AUDIO_PARAM
	forPictures = C.AV_OPT_FLAG_VIDEO_PARAM
)

// tableOf finds a part's options; nil where there is no such part.
func tableOf(kind transcode.OptionKind, part string) *table {
	t := &table{kind: kind, part: part}
	name := C.CString(part)
	defer C.free(unsafe.Pointer(name))
	switch kind {
	case transcode.DecoderOptions:
		c := C.avcodec_find_decoder_by_name(name)
		if c == nil {
			return nil
		}
		t.coder(c, forDecoders)
	case transcode.EncoderOptions:
		found, err := findEncoder(part)
		if err != nil {
			return nil
		}
		t.part = found.Name()
		t.coder(constCodec(found), forEncoders)
		t.ours = shapeOptions(found)
	case transcode.FilterOptions:
		f := C.avfilter_get_by_name(name)
		if f == nil {
			return nil
		}
		t.timed = f.flags&C.AVFILTER_FLAG_SUPPORT_TIMELINE != 0
		t.family(f.priv_class, 0)
		t.class(C.avfilter_get_class(), 0)
	case transcode.MuxOptions:
		if C.av_guess_format(name, nil, nil) == nil {
			return nil
		}
		t.family(C.millraceMuxerClass(name), forEncoders)
		t.class(C.avformat_get_class(), forEncoders)
	case transcode.DemuxOptions:
		if part != "" && C.av_find_input_format(name) == nil {
			return nil
		}
		t.family(C.millraceDemuxerClass(name), forDecoders)
		t.class(C.avformat_get_class(), forDecoders)
		t.beside = inputEntries(part == "")
	default:
		return nil
	}
	return t
}

func (t *table) coder(c *C.AVCodec, direction C.int) {
	kind := C.int(forPictures)
	if c._type == C.AVMEDIA_TYPE_AUDIO {
		kind = forSound
	}
	t.class(c.priv_class, 0)
	t.class(C.avcodec_get_class(), direction|kind)
}

// class adds the options of a class that have all of some flags.
func (t *table) class(class *C.AVClass, flags C.int) {
	t.entries = append(t.entries, entriesOf(class, flags)...)
}

// family adds a class and those of the parts inside it.
func (t *table) family(class *C.AVClass, flags C.int) {
	t.class(class, flags)
	for _, child := range children(class) {
		t.class(child, 0)
	}
}

func entriesOf(class *C.AVClass, flags C.int) []entry {
	if class == nil {
		return nil
	}
	var all []entry
	object := unsafe.Pointer(&class)
	for o := C.av_opt_next(object, nil); o != nil; o = C.av_opt_next(object, o) {
		if o._type != C.AV_OPT_TYPE_CONST && o.flags&flags == flags && o.flags&C.AV_OPT_FLAG_READONLY == 0 {
			all = append(all, entry{class, o})
		}
	}
	return all
}

func children(class *C.AVClass) []*C.AVClass {
	if class == nil {
		return nil
	}
	var all []*C.AVClass
	var opaque unsafe.Pointer
	for c := C.av_opt_child_class_iterate(class, &opaque); c != nil; c = C.av_opt_child_class_iterate(class, &opaque) {
		all = append(all, c)
	}
	return all
}

// inputEntries are the options of all protocols and, where nobody knows yet
// which one it will be, of all demuxers.
func inputEntries(demuxers bool) []entry {
	var all []entry
	if demuxers {
		var opaque unsafe.Pointer
		for f := C.av_demuxer_iterate(&opaque); f != nil; f = C.av_demuxer_iterate(&opaque) {
			all = append(all, entriesOf(f.priv_class, forDecoders)...)
		}
	}
	for _, c := range children(C.avformat_get_class()) {
		if C.GoString(c.class_name) != "AVIOContext" {
			continue
		}
		all = append(all, entriesOf(c, forDecoders)...)
		for _, protocol := range children(c) {
			all = append(all, entriesOf(protocol, forDecoders)...)
		}
	}
	return all
}

// find returns the options of a name: several parts inside one may have it.
func (t *table) find(name string) []entry {
	if name == "enable" && t.kind == transcode.FilterOptions && !t.timed {
		return nil
	}
	var found []entry
	for _, list := range [][]entry{t.entries, t.beside} {
		for _, e := range list {
			if e.name() == name {
				found = append(found, e)
			}
		}
	}
	return found
}

// names lists the options.
func (t *table) names() []string {
	var names []string
	for _, o := range t.ours {
		names = append(names, o.Name)
	}
	for _, e := range t.entries {
		if n := e.name(); !slices.Contains(names, n) && (n != "enable" || t.timed || t.kind != transcode.FilterOptions) {
			names = append(names, n)
		}
	}
	return names
}

// options describes the options.
func (t *table) options() []transcode.Option {
	all := slices.Clone(t.ours)
	seen := make(map[string]bool)
	for _, o := range all {
		seen[o.Name] = true
	}
	for _, e := range t.entries {
		name := e.name()
		if seen[name] || name == "enable" && t.kind == transcode.FilterOptions && !t.timed {
			continue
		}
		seen[name] = true
		all = append(all, t.describe(e))
	}
	return all
}

// The names of types, as transcode.Option has them.
var typeNames = map[C.enum_AVOptionType]string{
	C.AV_OPT_TYPE_FLAGS: "flags", C.AV_OPT_TYPE_INT: "int", C.AV_OPT_TYPE_INT64: "int", C.AV_OPT_TYPE_UINT: "int",
	C.AV_OPT_TYPE_UINT64: "int", C.AV_OPT_TYPE_DOUBLE: "float", C.AV_OPT_TYPE_FLOAT: "float",
	C.AV_OPT_TYPE_STRING: "string", C.AV_OPT_TYPE_RATIONAL: "rational", C.AV_OPT_TYPE_BINARY: "binary",
	C.AV_OPT_TYPE_DICT: "dictionary", C.AV_OPT_TYPE_IMAGE_SIZE: "size", C.AV_OPT_TYPE_PIXEL_FMT: "pixel format",
	C.AV_OPT_TYPE_SAMPLE_FMT: "sample format", C.AV_OPT_TYPE_VIDEO_RATE: "frame rate",
	C.AV_OPT_TYPE_DURATION: "duration", C.AV_OPT_TYPE_COLOR: "color", C.AV_OPT_TYPE_BOOL: "bool",
	C.AV_OPT_TYPE_CHLAYOUT: "channel layout",
}

func (t *table) describe(e entry) transcode.Option {
	o := transcode.Option{
		Name: e.name(), Help: C.GoString(e.c.help), Min: float64(e.c.min), Max: float64(e.c.max),
		Type: typeNames[e.c._type&^C.AV_OPT_TYPE_FLAG_ARRAY],
	}
	if e.c._type&C.AV_OPT_TYPE_FLAG_ARRAY != 0 {
		o.Type = "list of " + o.Type
	}
	if d := C.millraceDefault(e.c); d != nil {
		o.Default = C.GoString(d)
		C.av_free(unsafe.Pointer(d))
	}
	numbers := make(map[string]string)
	for name, n := range e.constants() {
		if v, err := strconv.ParseFloat(n, 64); err == nil && o.Type == "int" && (v < o.Min || v > o.Max) {
			continue // it is for another option of the unit
		}
		o.Values = append(o.Values, name)
		if old, ok := numbers[n]; !ok || name < old {
			numbers[n] = name
		}
	}
	slices.Sort(o.Values)
	if name, ok := numbers[o.Default]; ok && o.Type != "flags" {
		o.Default = name
	}
	if more := knownValues(t.part, o.Name); more != nil {
		o.Values = more
	}
	return o
}

// constants are the names that stand for an option's numbers.
func (e entry) constants() map[string]string {
	if e.c.unit == nil {
		return nil
	}
	return constantsOf(e.class)[C.GoString(e.c.unit)]
}

// constantTables keeps what constantsOf found out. Classes are never freed.
var constantTables sync.Map

// constantsOf are the names of all units of a class and their numbers.
func constantsOf(class *C.AVClass) map[string]map[string]string {
	if known, ok := constantTables.Load(class); ok {
		return known.(map[string]map[string]string)
	}
	units := make(map[string]map[string]string)
	object := unsafe.Pointer(&class)
	for o := C.av_opt_next(object, nil); o != nil; o = C.av_opt_next(object, o) {
		if o._type != C.AV_OPT_TYPE_CONST || o.unit == nil {
			continue
		}
		unit := C.GoString(o.unit)
		if units[unit] == nil {
			units[unit] = make(map[string]string)
		}
		units[unit][C.GoString(o.name)] = strconv.FormatInt(int64(C.millraceConstant(o)), 10)
	}
	constantTables.Store(class, units)
	return units
}

// accepts asks FFmpeg's parser about a value.
func (e entry) accepts(value string) error {
	v := C.CString(value)
	defer C.free(unsafe.Pointer(v))
	words := listen()
	defer words.stop()
	return fault(C.millraceAccepts(e.class, e.c, v))
}

// partNames lists what there is of a kind.
func partNames(kind transcode.OptionKind) []string {
	var names []string
	add := func(name *C.char) { names = append(names, strings.Split(C.GoString(name), ",")...) }
	var opaque unsafe.Pointer
	switch kind {
	case transcode.DecoderOptions, transcode.EncoderOptions:
		return coderNames(kind == transcode.EncoderOptions)
	case transcode.FilterOptions:
		for f := C.av_filter_iterate(&opaque); f != nil; f = C.av_filter_iterate(&opaque) {
			if n := C.GoString(f.name); !strings.HasSuffix(n, "buffer") && !strings.HasSuffix(n, "buffersink") {
				add(f.name)
			}
		}
	case transcode.MuxOptions:
		for f := C.av_muxer_iterate(&opaque); f != nil; f = C.av_muxer_iterate(&opaque) {
			add(f.name)
		}
	case transcode.DemuxOptions:
		for f := C.av_demuxer_iterate(&opaque); f != nil; f = C.av_demuxer_iterate(&opaque) {
			add(f.name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
