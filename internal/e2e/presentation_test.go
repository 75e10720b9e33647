package e2e

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/fmp4"
	"github.com/millrace/millrace/packager/playlist"
)

// presentation is an HLS presentation as it was when it was loaded.
type presentation struct {
	url   string
	multi *playlist.Multivariant
	media map[string]*playlist.Media // by the folder of their URI: "720p"
}

func load(url string) (*presentation, error) {
	body, err := fetch(url)
	if err != nil {
		return nil, err
	}
	p := &presentation{url: url, media: map[string]*playlist.Media{}}
	if p.multi, err = playlist.ParseMultivariant(string(body)); err != nil {
		return nil, err
	}
	uris := []string{}
	for _, v := range p.multi.Variants {
		uris = append(uris, v.URI)
	}
	for _, r := range p.multi.Renditions {
		uris = append(uris, r.URI)
	}
	for _, uri := range uris {
		text, err := fetch(p.resolve(uri))
		if err != nil {
			return nil, err
		}
		if p.media[path.Dir(uri)], err = playlist.ParseMedia(string(text)); err != nil {
			return nil, fmt.Errorf("%s: %w", uri, err)
		}
	}
	return p, nil
}

func (p *presentation) resolve(uri string) string {
	return p.url[:strings.LastIndexByte(p.url, '/')+1] + uri
}

// names are the renditions' folders in order.
func (p *presentation) names() []string { return slices.Sorted(maps.Keys(p.media)) }

// segment is one downloaded segment of one rendition.
type segment struct {
	playlist.Segment
	number   uint64
	start    time.Duration // PTS of the earliest sample
	key      bool          // the first sample is a sync sample
	length   time.Duration // sum of sample durations
	samples  int
	size     int // bytes
	timeline int // timescale
}

// download fetches and parses the segments of a rendition that are not gaps.
func (p *presentation) download(name string) ([]segment, error) {
	m := p.media[name]
	var header *fmp4.Header
	var list []segment
	for i, s := range m.Segments {
		if s.Map != nil {
			b, err := fetch(p.resolve(name + "/" + s.Map.URI))
			if err != nil {
				return nil, err
			}
			if header, err = fmp4.ReadInit(b); err != nil {
				return nil, fmt.Errorf("%s: %w", s.Map.URI, err)
			}
		}
		if s.Gap {
			continue
		}
		b, err := fetch(p.resolve(name + "/" + s.URI))
		if isStatus(err, 404) && len(list) == 0 {
			continue // left the window meanwhile
		}
		if err != nil {
			return nil, err
		}
		seg, err := parse(b, int(header.Timescale))
		if err != nil {
			return nil, fmt.Errorf("%s/%s: %w", name, s.URI, err)
		}
		seg.Segment, seg.number = s, m.MediaSequence+uint64(i)
		list = append(list, seg)
	}
	return list, nil
}

func parse(b []byte, timescale int) (segment, error) {
	s := segment{size: len(b), timeline: timescale}
	fragments, err := fmp4.ReadFragments(b)
	if err != nil {
		return s, err
	}
	first := int64(-1)
	for i, f := range fragments {
		dts := int64(f.Base)
		s.samples += len(f.Samples)
		for j, sample := range f.Samples {
			if i == 0 && j == 0 {
				s.key = sample.Key
			}
			if pts := dts + int64(sample.Offset); first < 0 || pts < first {
				first = pts
			}
			dts += int64(sample.Duration)
		}
		s.length += media.Duration(int64(f.Duration()), timescale)
	}
	s.start = media.Duration(first, timescale)
	return s, nil
}

// checkAligned holds a presentation to what makes players switch without a
// seam: segment N starts at the same PTS in every picture, with a keyframe,
// and lasts as long as its playlist says, all within tolerance of a frame.
func (p *presentation) checkAligned(t *testing.T, frame time.Duration) {
	t.Helper()
	p.checkSegments(t, frame, true)
}

// checkSegments is checkAligned for presentations whose segments need not all
// start with keyframes.
func (p *presentation) checkSegments(t *testing.T, frame time.Duration, keys bool) {
	t.Helper()
	starts := map[uint64]time.Duration{}
	whose := map[uint64]string{}
	for _, v := range p.multi.Variants {
		name := path.Dir(v.URI)
		list, err := p.download(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) < 2 {
			t.Fatalf("%s has %d segments", name, len(list))
		}
		for i, s := range list {
			if keys && !s.key {
				t.Errorf("%s: segment %d does not start with a keyframe", name, s.number)
			}
			if other, ok := starts[s.number]; ok && other != s.start && v.Height > 0 {
				t.Errorf("segment %d starts at %v in %s and at %v in %s", s.number, s.start, name, other, whose[s.number])
			}
			starts[s.number], whose[s.number] = s.start, name
			if off := s.length - s.Duration; off.Abs() > frame {
				t.Errorf("%s: segment %d has %v of media, EXTINF says %v", name, s.number, s.length, s.Duration)
			}
			if i+1 < len(list) && list[i+1].number == s.number+1 && list[i+1].Discontinuities == 0 {
				if off := list[i+1].start - s.start - s.Duration; off.Abs() > frame {
					t.Errorf("%s: segment %d is followed %v after it should be", name, s.number, off)
				}
			}
			// a shorter one is no segment to measure by: RFC 8216bis, 4.1
			if rate := float64(s.size*8) / s.Duration.Seconds(); s.Duration > 1500*time.Millisecond && rate > float64(v.Bandwidth) {
				t.Errorf("%s: segment %d has %.0f bits/s, BANDWIDTH is %d", name, s.number, rate, v.Bandwidth)
			}
		}
		if target := time.Duration(p.media[name].TargetDuration) * time.Second; target != 3*time.Second {
			t.Errorf("%s: TARGETDURATION is %v", name, target)
		}
	}
}

// reserve waits until there is as much as a player wants to have.
func reserve(s *server, path string) {
	s.t.Helper()
	s.eventually(30*time.Second, "the hold-back is in reserve", func() error {
		p, err := load(s.hls(path))
		if err == nil && len(p.media[p.names()[0]].Segments) < 2 {
			err = fmt.Errorf("no segments yet")
		}
		return err
	})
}
