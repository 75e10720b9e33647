package libav

/*
#include "graph.h"
*/
import "C"

import (
	"fmt"

	"github.com/millrace/millrace/internal/media"
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
func openKinds(description string) (in, out []media.Kind, err error) {
	g := C.avfilter_graph_alloc()
	if g == nil {
		return nil, nil, ErrMemory
	}
	defer C.avfilter_graph_free(&g)
	words := listen()
	open, err := parseGraph(g, description)
	said := words.stop()
	if err != nil {
		if said == "" {
			said = err.Error()
		}
		return nil, nil, &GraphError{Description: description, At: -1, Reason: said}
	}
	defer open.free()
	return kindsOf(open.inputs, false), kindsOf(open.outputs, true), nil
}

// CheckGraph says what is wrong with a description.
func CheckGraph(description string) error {
	_, _, err := openKinds(description)
	return err
}
