package pipeline

import (
	"github.com/millrace/millrace/packager"
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

// recorderOf keeps a recorder that is none from becoming an interface that is
// one.
func recorderOf(r *recording.Recorder) packager.Recorder {
	if r == nil {
		return nil
	}
	return r
}
