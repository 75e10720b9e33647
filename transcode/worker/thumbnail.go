package worker

import (
	"errors"
	"fmt"
	"io"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/libav"
	"github.com/millrace/millrace/transcode/wire"
)

// serveThumbnails makes pictures of keyframes, one after the other. A keyframe
// that cannot be decoded is answered in words.
func serveThumbnails(r *wire.Reader, s *sender) error {
	for {
		m, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return protocol(err)
		}
		switch m := m.(type) {
		case *wire.Thumbnail:
			answer := &wire.Image{ID: m.ID}
			answer.JPEG, err = libav.JPEG(&media.Packet{Track: &m.Track, Key: true, Payload: m.Payload}, m.Width)
			if errors.Is(err, libav.ErrMemory) {
				return err
			}
			if err != nil {
				answer.Error = err.Error()
			}
			err = s.send(answer)
		case *wire.Bye:
			return s.send(&wire.Bye{})
		default:
			return protocol(fmt.Errorf("message %d to a thumbnail worker", m.Type()))
		}
		if err != nil {
			return err
		}
	}
}
