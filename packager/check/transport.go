package check

import (
	"fmt"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/fmp4"
	"github.com/millrace/millrace/packager/mpegts"
	"github.com/millrace/millrace/packager/webvtt"
)

// transportRate is the clock of MPEG-TS, and transportWrap where it begins anew.
const (
	transportRate = 90000
	transportWrap = 1 << 33
)

// contents is what was found in a segment or a part.
type contents struct {
	fragments []fmp4.Fragment
	program   *mpegts.Program // of MPEG-TS
	text      *webvtt.File    // of subtitles
	track     *media.Track    // described by the media itself, nil where it is not
	bad       error
}

// open looks into media that has an initialization section, or is MPEG-TS.
func (c *contents) open(b []byte, fragmented bool) {
	switch {
	case fragmented:
		if c.fragments, c.bad = fmp4.ReadFragments(b); c.bad == nil && len(c.fragments) == 0 {
			c.bad = fmt.Errorf("no fragment in %d bytes", len(b))
		}
	case isTransport(b):
		c.bad = c.openTransport(b)
	}
}

// isTransport tells MPEG-TS by its sync bytes, of which some may be missing.
func isTransport(b []byte) bool {
	packets, synced := 0, 0
	for at := 0; at < len(b) && packets < 20; at += 188 {
		packets++
		if b[at] == 0x47 {
			synced++
		}
	}
	return packets > 0 && synced*2 > packets
}

// openTransport reads pictures, or sound where there are none, as if they were a
// fragment.
func (c *contents) openTransport(b []byte) (err error) {
	c.program = &mpegts.Program{} // what is broken is one, too
	p, err := mpegts.Read(b)
	if err != nil {
		return err
	}
	c.program = p
	s := p.Media()
	if s == nil {
		return fmt.Errorf("%w: neither picture nor sound", mpegts.ErrBroken)
	}
	samples, err := s.Samples()
	if err != nil {
		return err
	}
	if len(samples) == 0 {
		return fmt.Errorf("%w: no picture or sound in %d bytes", mpegts.ErrBroken, len(b))
	}
	c.track, _ = s.Track() // parts need not describe themselves
	f := fmp4.Fragment{Base: uint64(samples[0].DTS), Samples: make([]fmp4.Sample, 0, len(samples))}
	for _, sm := range samples {
		f.Samples = append(f.Samples, fmp4.Sample{
			Duration: uint32(sm.Duration), Offset: int32(sm.PTS - sm.DTS), Key: sm.Key, Payload: sm.Payload,
		})
	}
	c.fragments = []fmp4.Fragment{f}
	return nil
}

// transport reports whether the media is MPEG-TS.
func (c *contents) transport() bool { return c.program != nil }

// codec is the track's as CODECS has it, empty where it is not known. What sort
// of AAC it is stands deeper in the media than anybody looks here.
func (c *contents) codec() string {
	if c.track == nil {
		return ""
	}
	name, err := fmp4.CodecString(c.track)
	if err != nil {
		return ""
	}
	if c.track.Kind == media.Audio {
		return entryOf(name)
	}
	return name
}
