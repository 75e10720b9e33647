package mpegts

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/media"
)

// The time that Attach takes, which may ask a hook, is no silence.
func TestSlowAttach(t *testing.T) {
	content := read(t, muxed(t, "h264-b"))
	synctest.Test(t, func(t *testing.T) {
		stream := ingest.NewStream("film", ingest.StreamOptions{})
		defer stream.Close(nil)
		r := New(Config{Attach: func(tracks []*media.Track, _ []ingest.Unused) (*ingest.Publisher, error) {
			<-time.After(time.Minute)
			return stream.Attach(ingest.PublisherInfo{SharedClock: true}, tracks)
		}})
		err := r.Run(t.Context(), 10*time.Second, func() {}, func() ([]byte, error) {
			n := min(1316, len(content))
			b := content[:n]
			if content = content[n:]; n == 0 {
				return nil, io.EOF
			}
			return b, nil
		})
		if r.Publisher() == nil || !errors.Is(err, io.EOF) {
			t.Errorf("it ended with %v", err)
		}
	})
}

// What falls silent before it could be attached is not attached any more.
func TestSilentBeforeAttach(t *testing.T) {
	content := read(t, muxed(t, "h264-b"))
	synctest.Test(t, func(t *testing.T) {
		r := New(Config{Attach: func([]*media.Track, []ingest.Unused) (*ingest.Publisher, error) {
			t.Error("it is attached")
			return nil, ingest.ErrNoTracks
		}})
		stop, begun := make(chan struct{}), false
		err := r.Run(t.Context(), 10*time.Second, func() { close(stop) }, func() ([]byte, error) {
			if !begun {
				begun = true
				return content[:5*packetSize], nil // the program map, and the beginning of a picture
			}
			<-stop
			return nil, errors.New("closed")
		})
		if !errors.Is(err, errSilent) {
			t.Errorf("it ended with %v", err)
		}
	})
}
