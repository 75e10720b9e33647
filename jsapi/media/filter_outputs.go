package media

import (
	"context"
	"strconv"

	"github.com/dop251/goja"
)

// branch gives a filter stages for its outputs, by their labels, or their
// numbers where they have none. They have no goroutines of their own: they are
// started with the filter.
func (f *filter) branch(labels []string) {
	for i, label := range labels {
		if label == "" {
			label = strconv.Itoa(i)
		}
		f.s.branches = append(f.s.branches, f.s.m.add(&stage{
			kind: "filter", label: f.s.label + " [" + label + "]", output: label, gives: frames, parent: f.s,
		}))
	}
}

// put gives a frame to the output that it came out of. What nobody reads is
// lost, as of the tracks of a source.
func (f *filter) put(ctx context.Context, output int, o object) error {
	switch {
	case len(f.s.branches) == 0 && output == 0:
		return f.s.emit(ctx, o)
	case output < len(f.s.branches) && f.s.branches[output].out.attached():
		return f.s.branches[output].emit(ctx, o)
	}
	o.close()
	return nil
}

// endBranches ends what a stage gives by other stages.
func (s *stage) endBranches() {
	for _, b := range s.branches {
		b.out.end()
		s.m.post(func() { b.tell("done", nil) })
	}
}

// madeBranches is what a script's classes are made of, for each output.
func (m *Module) madeBranches(s *stage) *goja.Object {
	all := m.rt.NewObject()
	for _, b := range s.branches {
		made := m.rt.NewObject()
		_ = made.Set("id", b.id)
		_ = made.Set("kind", b.kind)
		_ = made.Set("label", b.label)
		_ = made.Set("takes", "")
		_ = made.Set("gives", string(b.gives))
		_ = made.Set("lossy", false)
		_ = all.Set(b.output, made)
		m.graph.link("stage"+strconv.Itoa(s.id), s.label, "stage"+strconv.Itoa(b.id), b.label)
	}
	return all
}
