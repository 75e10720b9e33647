package transcode

import (
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/wire"
)

// feeder writes to one worker what a queue holds.
type feeder struct {
	out       *wire.Writer
	announced map[int]*announced
}

// announced is the track that a worker knows for one source track. Revisions
// are the feeder's own: a publisher that comes back may begin to count again.
type announced struct {
	track    *media.Track
	revision int
}

// run writes the opening, then what primes the worker, then what comes, until
// stop or until the worker takes no more.
func (f *feeder) run(opening []wire.Message, first []item, q *queue, stop <-chan struct{}) error {
	for _, m := range opening {
		if err := f.out.Write(m); err != nil {
			return err
		}
	}
	for i := range first {
		if err := f.write(&first[i]); err != nil {
			return err
		}
	}
	for {
		it, ok := q.take(stop)
		if !ok {
			return nil
		}
		if err := f.write(&it); err != nil {
			return err
		}
	}
}

func (f *feeder) write(it *item) error {
	if it.placed.Packet == nil {
		return f.out.Write(it.message)
	}
	t := it.placed.Track
	a := f.announced[t.ID]
	if a == nil {
		a = new(announced)
		f.announced[t.ID] = a
	}
	if a.track != t {
		if a.track != nil {
			a.revision++
		}
		a.track = t
		m := &wire.Track{Stream: t.ID, Track: *t}
		m.Track.Revision = a.revision
		if err := f.out.Write(m); err != nil {
			return err
		}
	}
	return f.out.Write(&wire.Packet{Stream: t.ID, Revision: a.revision, Placed: it.placed})
}
