package packager

import (
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/fmp4"
	"github.com/millrace/millrace/packager/mpegts"
	"github.com/millrace/millrace/packager/protect"
)

// Container is the format of media segments.
type Container uint8

// The containers. In FMP4 each rendition has initialization sections; in TS
// everything that a decoder needs stands in the segments. TS carries H.264,
// AAC, MPEG audio, AC-3 and E-AC-3 (RFC 8216bis §3.1.1, Apple 1.5).
const (
	FMP4 Container = iota
	TS
)

// ErrContainer says that a codec has no place in the container.
var ErrContainer = errors.New("the container cannot carry it")

// EXT-X-VERSION of playlists but delta updates (RFC 8216bis §8): EXT-X-MAP in
// media playlists is the newest thing used, without it KEYFORMAT,
// EXT-X-I-FRAMES-ONLY with its byte ranges, and without those EXTINF with
// fractions.
const (
	versionMap     = 6
	versionFormat  = 5
	versionRange   = 4
	versionDecimal = 3
)

func (p *Presentation) version() int {
	prot := p.cfg.Protection
	switch {
	case p.cfg.Container != TS:
		return versionMap
	case prot != nil && (prot.Format != "" || prot.Versions != ""):
		return versionFormat
	}
	return versionDecimal
}

// extension ends the names of segments and parts.
func (c Container) extension() string {
	if c == TS {
		return ".ts"
	}
	return ".m4s"
}

// version is EXT-X-VERSION of a rendition's playlists.
func (r *rendition) version() int {
	if r.text != nil {
		return versionDecimal
	}
	return r.p.version()
}

// extension ends the names of a rendition's segments and parts.
func (r *rendition) extension() string {
	if r.text != nil {
		return ".vtt"
	}
	return r.p.cfg.Container.extension()
}

func (r *rendition) segmentName(number uint64) string {
	return strconv.FormatUint(number, 10) + r.extension()
}

// partName is the URI of a part. Parts are counted through all segments of a
// rendition, so that the next one can be hinted before anybody knows in which
// segment it will be.
func (r *rendition) partName(serial uint64) string {
	return "part" + strconv.FormatUint(serial, 10) + r.extension()
}

// writer makes the bytes of a rendition's parts out of samples.
type writer interface {
	// adopt says what the samples from here on are, and whether metadata comes
	// with them. Where it fails nothing has changed.
	adopt(t *media.Track, eventful bool) error
	// begin says that a segment begins; breaks, that it does not go on from
	// what was written before.
	begin(breaks bool)
	// part is a part, with its metadata, in pieces that follow each other. They
	// are valid until done; payloads may be among them as they are. Where the
	// part's first sample is to stand alone, it can be used without the rest of
	// the part, and first is how many bytes it takes with all that it needs;
	// else 0.
	part(f *fragment, events []due, alone bool) (pieces [][]byte, first int64)
	done()
}

func (c Container) writer() writer {
	if c == TS {
		return &tsWriter{muxer: mpegts.NewMuxer()}
	}
	return &fmp4Writer{}
}

// fmp4Writer writes one fragment a part, and one more for a first sample that
// is to stand alone: whoever loads only that range of the segment has whole
// boxes, which announce nothing that does not follow.
type fmp4Writer struct {
	rate     int // of the track's clock
	sequence uint32
	header   []byte
	pieces   [][]byte
}

func (w *fmp4Writer) adopt(t *media.Track, _ bool) error {
	w.rate = t.ClockRate // the section says the rest
	return nil
}

func (w *fmp4Writer) begin(bool) {}

func (w *fmp4Writer) part(f *fragment, events []due, alone bool) (pieces [][]byte, first int64) {
	base, single, subsamples := uint64(f.base), 0, f.pieces
	if alone {
		single = 1
	}
	w.header, w.pieces = appendEvents(w.header[:0], events, w.rate), w.pieces[:0]
	for _, run := range [][]fmp4.Sample{f.samples[:single], f.samples[single:]} {
		if len(run) == 0 {
			continue
		}
		w.sequence++
		start := len(w.header)
		if len(w.pieces) == 0 {
			start = 0 // with what stands before the moof
		}
		own := subsamples[:min(len(run), len(subsamples))]
		subsamples = subsamples[len(own):]
		w.header = fmp4.AppendProtected(w.header, w.sequence, base, run, own)
		w.pieces = append(w.pieces, w.header[start:])
		for i := range run {
			w.pieces = append(w.pieces, run[i].Payload)
			base += uint64(run[i].Duration)
		}
		if alone && first == 0 {
			first = int64(len(w.header) + len(run[0].Payload))
		}
	}
	return w.pieces, first
}

func (w *fmp4Writer) done() { clear(w.pieces) }

// tsWriter writes transport packets, for which payloads have to be cut up.
type tsWriter struct {
	muxer  *mpegts.Muxer
	rate   int // of the track's clock
	bytes  []byte
	pieces [1][]byte
}

func (w *tsWriter) adopt(t *media.Track, eventful bool) error {
	err := w.muxer.SetTrack(t, eventful)
	if errors.Is(err, mpegts.ErrCodec) {
		return fmt.Errorf("MPEG-TS: %s: %w; it needs hls.container fmp4, or to be encoded", t, ErrContainer)
	}
	if err == nil {
		w.rate = t.ClockRate
	}
	return err
}

func (w *tsWriter) begin(breaks bool) {
	if breaks {
		w.muxer.Break()
	}
}

func (w *tsWriter) part(f *fragment, events []due, alone bool) (pieces [][]byte, first int64) {
	w.bytes = w.muxer.AppendTables(w.bytes[:0])
	for _, e := range events {
		// It cannot be too large for us and not for fMP4: markers are checked.
		w.bytes, _ = w.muxer.AppendID3(w.bytes, media.Rescale(e.pts, w.rate, 90000), e.id3)
	}
	dts := f.base
	for i := range f.samples {
		s := &f.samples[i]
		w.bytes = w.muxer.AppendFrame(w.bytes, mpegts.Frame{
			PTS: dts + int64(s.Offset), DTS: dts, Duration: int64(s.Duration), Key: s.Key, Payload: s.Payload,
		})
		dts += int64(s.Duration)
		if alone && i == 0 {
			first = int64(len(w.bytes))
		}
	}
	w.bytes = w.muxer.Flush(w.bytes)
	w.pieces[0] = w.bytes
	return w.pieces[:], first
}

func (w *tsWriter) done() {}

// describe makes the initialization section of a track, named by its content,
// and what encrypts its samples where k is not nil. In TS nobody gets the
// section; it tells parameters apart all the same.
func (p *Presentation) describe(t *media.Track, spec Rendition, k *key) (*initSection, *protect.Samples, error) {
	b, err := fmp4.Init(t, fmp4.Bitrates{Max: spec.Bitrate, Average: spec.AverageBitrate})
	if err != nil {
		return nil, nil, err
	}
	codecs, err := fmp4.CodecString(t)
	if err != nil {
		return nil, nil, err
	}
	samples, plain := (*protect.Samples)(nil), sectionName(b)
	if k != nil {
		if samples, err = k.NewSamples(t); err == nil {
			b, err = fmp4.Protect(b, samples.Protection())
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return &initSection{
		name: sectionName(b), plain: plain, bytes: b, codecs: codecs, key: k, inBand: p.cfg.Container == TS,
	}, samples, nil
}

// sectionName names an initialization section by its content.
func sectionName(b []byte) string {
	h := fnv.New64a()
	h.Write(b)
	return fmt.Sprintf("init-%016x.mp4", h.Sum64())
}

// overhead is what the container adds to a coder's bits/s at most.
func (r *rendition) overhead(peak int) int {
	if r.p.cfg.Container == FMP4 {
		// moof and mdat of each part and each I-frame, 16 bytes a frame at up to
		// 60 a second.
		return peak/100 + 60*16*8 + int(time.Second/r.p.cfg.Part+2)*120*8
	}
	// Four bytes of each packet; of each PES packet its header, the clock and
	// what its last packet is stuffed with; tables, and ADTS headers.
	packets, frames := 60, 0
	if r.kind == media.Audio {
		packets, frames = 12, 50
	} else if rate := r.track.FrameRate; rate.Known() {
		packets = rate.Num/rate.Den + 1
	}
	return peak*3/100 + (packets*130+frames*7+int(time.Second/r.p.cfg.Part+1)*376)*8
}
