package libav

/*
#include <stdlib.h>
#include "graph.h"
*/
import "C"

import (
	"fmt"
	"regexp"
	"strings"
	"unsafe"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
)

// GraphError is a filter description that makes no graph.
type GraphError struct {
	Description string
	At          int    // byte at which reading stopped, -1 where that is not known
	Reason      string // in libavfilter's words
}

func (e *GraphError) Error() string {
	if e.At < 0 || e.At > len(e.Description) {
		return fmt.Sprintf("filter %s: %s", e.Description, e.Reason)
	}
	return fmt.Sprintf("filter %s: at %d, before %q: %s", e.Description, e.At, e.Description[e.At:], e.Reason)
}

// openKinds are what the inputs and outputs take and give that a description
// leaves open.
func openKinds(description string) (in []media.Kind, out []string, err error) {
	g := C.avfilter_graph_alloc()
	if g == nil {
		return nil, nil, ErrMemory
	}
	defer C.avfilter_graph_free(&g)
	words := listen()
	open, err := parseGraph(g, description)
	said := words.stop()
	if err != nil {
		reason := err.Error()
		if said != "" {
			reason += " (" + said + ")"
		}
		return nil, nil, &GraphError{Description: description, At: -1, Reason: reason}
	}
	defer open.free()
	return kindsOf(open.inputs), labelsOf(open.outputs), nil
}

// mostDescription is how long a description may be, in bytes.
const mostDescription = 64 << 10

// CheckGraph says what is wrong with a description: nil, a
// *transcode.OptionError where a filter, an option or a value does not exist,
// or a *GraphError.
func CheckGraph(description string) error {
	if err := checkSegment(description); err != nil {
		return err
	}
	_, _, err := openKinds(description)
	return err
}

// checkSegment looks at the filters of a description and their options.
func checkSegment(description string) error {
	if len(description) > mostDescription {
		return &GraphError{Description: description[:64] + "…", At: -1, Reason: "it is too long"}
	}
	if strings.ContainsRune(description, 0) {
		return &GraphError{Description: description, At: strings.IndexByte(description, 0), Reason: "a zero byte"}
	}
	g := C.avfilter_graph_alloc()
	if g == nil {
		return ErrMemory
	}
	defer C.avfilter_graph_free(&g)
	d := C.CString(description)
	defer C.free(unsafe.Pointer(d))
	var segment *C.AVFilterGraphSegment
	defer C.avfilter_graph_segment_free(&segment)
	words := listen()
	err := fault(C.avfilter_graph_segment_parse(g, d, 0, &segment))
	said := words.stop()
	if err != nil {
		return malformed(description, said)
	}
	for i := 0; ; i++ {
		f := C.millraceSegmentFilter(segment, C.int(i))
		if f == nil {
			return nil
		}
		if err := checkFilter(f); err != nil {
			return err
		}
	}
}

func checkFilter(f *C.AVFilterParams) error {
	name := C.GoString(f.filter_name)
	t := tableOf(transcode.FilterOptions, name)
	if t == nil {
		return missing(transcode.FilterOptions, name)
	}
	var e *C.AVDictionaryEntry
	for e = C.av_dict_iterate(f.opts, e); e != nil; e = C.av_dict_iterate(f.opts, e) {
		if err := t.check(C.GoString(e.key), C.GoString(e.value)); err != nil {
			return err
		}
	}
	return nil
}

// malformed tells where reading stopped: at what libavfilter quotes, which it
// had still before it.
func malformed(description, said string) error {
	e := &GraphError{Description: description, At: -1, Reason: "it cannot be read"}
	for i, reason := range strings.Split(said, "; ") {
		text, rest := reason, ""
		if m := quoted.FindStringSubmatch(reason); m != nil {
			text, rest = m[1], m[2]+m[3]
		}
		if i == 0 && text != "" {
			e.Reason = text
		}
		if e.At < 0 && rest != "" && strings.HasSuffix(description, rest) {
			e.At = len(description) - len(rest)
		}
	}
	// Values without names in a filter that does not exist are read as names.
	if strings.HasPrefix(e.Reason, "No option name near") {
		if name := lastFilter(description, e.At); name != "" && tableOf(transcode.FilterOptions, name) == nil {
			return missing(transcode.FilterOptions, name)
		}
	}
	return e
}

// quoted splits a message from what it quotes of the description.
var quoted = regexp.MustCompile(`^(.*?) (?:found )?(?:in the following: "(.*)"|around: ?(.*))$`)

// lastFilter is the name of the filter in which reading stopped.
func lastFilter(description string, at int) string {
	if at >= 0 {
		description = description[:at]
	}
	if i := strings.LastIndexAny(description, "],;"); i >= 0 {
		description = description[i+1:]
	}
	name, _, _ := strings.Cut(description, "=")
	name, _, _ = strings.Cut(name, "@")
	return strings.TrimSpace(name)
}
