package wire

import (
	"fmt"

	"github.com/millrace/millrace/internal/media"
)

// maxStreams bounds how many streams one direction may announce.
const maxStreams = 256

// Tracks remembers the newest announcement of each stream of one direction.
// The zero value is ready. One goroutine may use it.
type Tracks struct {
	streams map[int]*Track
}

// Announce takes in t. A stream's revision may not go back, and its rendition
// and kind may not change.
func (ts *Tracks) Announce(t *Track) error {
	if old := ts.streams[t.Stream]; old != nil {
		if t.Rendition != old.Rendition || t.Track.Kind != old.Track.Kind || t.Track.Revision < old.Track.Revision {
			return fmt.Errorf("stream %d: revision %d of %q follows revision %d of %q",
				t.Stream, t.Track.Revision, t.Rendition, old.Track.Revision, old.Rendition)
		}
	} else if len(ts.streams) >= maxStreams {
		return fmt.Errorf("more than %d streams", maxStreams)
	}
	if ts.streams == nil {
		ts.streams = make(map[int]*Track)
	}
	ts.streams[t.Stream] = t
	return nil
}

// Resolve sets p.Track and returns the rendition that p belongs to. A packet
// of a stream or revision that was not announced last is an error.
func (ts *Tracks) Resolve(p *Packet) (rendition string, err error) {
	t := ts.streams[p.Stream]
	if t == nil {
		return "", fmt.Errorf("packet of stream %d, which was not announced", p.Stream)
	}
	if t.Track.Revision != p.Revision {
		return "", fmt.Errorf("packet of stream %d, revision %d; revision %d is in force", p.Stream, p.Revision, t.Track.Revision)
	}
	p.Track = &t.Track
	return t.Rendition, nil
}

// All returns the newest revision of every stream, in no order.
func (ts *Tracks) All() []*media.Track {
	all := make([]*media.Track, 0, len(ts.streams))
	for _, t := range ts.streams {
		all = append(all, &t.Track)
	}
	return all
}
