package pipeline

import (
	"github.com/millrace/millrace/packager"
	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/packager/recording"
)

// recorder is what keeps a presentation for later; nil for nothing.
func (p *Pipeline) recorder() *recording.Recorder {
	if !p.set.Record || p.deps.Recordings == nil {
		return nil
	}
	return p.deps.Recordings.Record(p.path)
}

// records makes r the recorder of the presentation. The one before has nothing
// that viewers had.
func (p *Pipeline) records(r *recording.Recorder) {
	if p.rec != nil {
		p.rec.End()
	}
	p.rec = r
}

// recorders are those of a presentation that there are.
func recorders(rec *recording.Recorder, shift *recording.Shift) packager.Recorder {
	switch {
	case rec == nil && shift == nil:
		return nil
	case rec == nil:
		return shift
	case shift == nil:
		return rec
	}
	return both{rec, shift}
}

// both tells two recorders.
type both [2]packager.Recorder

func (b both) Segment(l packager.Listed) {
	b[0].Segment(l)
	b[1].Segment(l)
}

func (b both) DateRange(d playlist.DateRange) {
	b[0].DateRange(d)
	b[1].DateRange(d)
}

func (b both) Multivariant(text []byte) {
	b[0].Multivariant(text)
	b[1].Multivariant(text)
}
