package clip

import (
	"fmt"

	"github.com/millrace/millrace/packager/fmp4"
	"github.com/millrace/millrace/packager/mpegts"
)

// samplesAtOnce is how much of a transport stream becomes one fragment.
const samplesAtOnce = 50

// describe makes the initialization section of a transport stream out of its
// first segment.
func (l *lane) describe() error {
	b, err := l.segments[0].Read()
	if err != nil {
		return fmt.Errorf("read segment: %w", err)
	}
	l.init, err = section(b)
	l.rate = 90000
	return err
}

func section(b []byte) ([]byte, error) {
	s, err := mediaOf(b)
	if err != nil {
		return nil, err
	}
	t, err := s.Track()
	if err != nil {
		return nil, err
	}
	return fmp4.Init(t, fmp4.Bitrates{})
}

func mediaOf(b []byte) (*mpegts.Stream, error) {
	p, err := mpegts.Read(b)
	if err != nil {
		return nil, err
	}
	s := p.Media()
	if s == nil {
		return nil, fmt.Errorf("%w: neither picture nor sound", mpegts.ErrBroken)
	}
	return s, nil
}

// transport makes fragments of a transport stream. It fails with ErrChanges
// where it is not what the first segment was.
func (l *lane) transport(b []byte) ([]fmp4.Fragment, error) {
	init, err := section(b)
	if err != nil {
		return nil, err
	}
	if string(init) != string(l.init) {
		return nil, ErrChanges
	}
	s, err := mediaOf(b)
	if err != nil {
		return nil, err
	}
	samples, err := s.Samples()
	if err != nil {
		return nil, err
	}
	var out []fmp4.Fragment
	for i, sm := range samples {
		if i%samplesAtOnce == 0 {
			out = append(out, fmp4.Fragment{Base: uint64(max(sm.DTS, 0))})
		}
		f := &out[len(out)-1]
		f.Samples = append(f.Samples, fmp4.Sample{
			Duration: uint32(sm.Duration), Offset: int32(sm.PTS - sm.DTS), Key: sm.Key, Payload: sm.Payload,
		})
	}
	return out, nil
}
