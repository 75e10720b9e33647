package storyboard

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"sync"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/fmp4"
	"github.com/millrace/millrace/packager/mpegts"
)

// ErrNoSheet says that no picture of a sheet is there.
var ErrNoSheet = errors.New("no such sheet")

const (
	maxSheets = 32 // of one presentation, kept for who asks next: some 60 KB each
	maxTries  = 2  // of a picture that cannot be made
	quality   = 80 // of JPEG
)

// Maker decodes a video keyframe to a JPEG so many pixels wide. It is called
// once for each picture, by one goroutine of a Server at a time.
type Maker func(ctx context.Context, key *media.Packet, width int) ([]byte, error)

// Server draws the sheets of one presentation, and keeps some of them.
type Server struct {
	make Maker
	turn chan struct{} // held by who draws

	mu     sync.Mutex
	sheets map[uint64]*sheet
}

// sheet is one that was asked for. Who draws owns tiles and tries; Server.mu
// guards the rest.
type sheet struct {
	tiles [tiles][]byte // JPEGs, as long as the sheet is not finished
	tries [tiles]int

	has   uint32 // the places that are drawn, or given up: a bit each
	jpeg  []byte
	asked time.Time
}

// NewServer makes one.
func NewServer(m Maker) *Server {
	return &Server{make: m, turn: make(chan struct{}, 1), sheets: map[uint64]*sheet{}}
}

// Sheet returns a sheet with all pictures of the board that belong to it, and
// whether it will never change. Pictures that cannot be made are left out, and
// tried again by the next call. It fails with ErrNoSheet, or because ctx ended.
func (s *Server) Sheet(ctx context.Context, b *Board, number uint64) (text []byte, final bool, err error) {
	var wanted []picture
	var mask uint32
	for _, p := range b.pictures() {
		if p.sheet() == number {
			wanted, mask = append(wanted, p), mask|1<<p.tile()
		}
	}
	if len(wanted) == 0 {
		return nil, false, ErrNoSheet
	}
	sh := s.find(number)
	ok := false
	if text, ok = s.drawn(sh, mask); ok {
		return text, !b.open(number), nil
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, false, fmt.Errorf("draw storyboard: %w", context.Cause(ctx))
	}
	if text, ok = s.drawn(sh, mask); ok { // by who had the turn before
		return text, !b.open(number), nil
	}
	has, whole := s.fill(ctx, sh, wanted)
	if err := ctx.Err(); err != nil {
		return nil, false, fmt.Errorf("draw storyboard: %w", context.Cause(ctx))
	}
	text, err = compose(sh, b.height())
	if err != nil {
		return nil, false, err
	}
	final = whole && !b.open(number)
	if final {
		sh.tiles = [tiles][]byte{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sh.jpeg, sh.has = text, has
	return text, final, nil
}

// find returns a sheet, and lets go of that which nobody has asked for the
// longest where there are too many.
func (s *Server) find(number uint64) *sheet {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh := s.sheets[number]
	if sh == nil {
		var oldest uint64
		for n, other := range s.sheets {
			if o := s.sheets[oldest]; o == nil || other.asked.Before(o.asked) {
				oldest = n
			}
		}
		if len(s.sheets) >= maxSheets {
			delete(s.sheets, oldest)
		}
		sh = &sheet{}
		s.sheets[number] = sh
	}
	sh.asked = time.Now()
	return sh
}

func (s *Server) drawn(sh *sheet, mask uint32) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return sh.jpeg, sh.jpeg != nil && sh.has&mask == mask
}

// fill makes the pictures that are missing. After one that cannot be made the
// rest is left for the next time: what is wrong may be the worker.
func (s *Server) fill(ctx context.Context, sh *sheet, wanted []picture) (has uint32, whole bool) {
	for _, p := range wanted {
		i := p.tile()
		if sh.tiles[i] == nil && sh.tries[i] < maxTries {
			b, err := s.picture(ctx, p.segment)
			if ctx.Err() != nil {
				return has, false
			}
			if err != nil {
				if sh.tries[i]++; sh.tries[i] < maxTries {
					return has, false
				}
			}
			sh.tiles[i] = b
		}
		has |= 1 << i
	}
	return has, true
}

// picture makes a picture of the I-frame that a segment begins with.
func (s *Server) picture(ctx context.Context, from *Segment) ([]byte, error) {
	if from.Section == nil {
		return s.pictureTS(ctx, from)
	}
	section, err := from.Section()
	if err != nil {
		return nil, fmt.Errorf("read initialization section: %w", err)
	}
	header, err := fmp4.ReadInit(section)
	if err != nil {
		return nil, err
	}
	track, err := header.VideoTrack()
	if err != nil {
		return nil, err
	}
	b, err := from.IFrame()
	if err != nil {
		return nil, fmt.Errorf("read I-frame: %w", err)
	}
	fragments, err := fmp4.ReadFragments(b)
	if err != nil {
		return nil, err
	}
	if len(fragments) == 0 || len(fragments[0].Samples) == 0 || !fragments[0].Samples[0].Key {
		return nil, fmt.Errorf("segment %d does not begin with an I-frame", from.Number)
	}
	return s.make(ctx, &media.Packet{Track: track, Key: true, Payload: fragments[0].Samples[0].Payload}, width)
}

// pictureTS is picture of MPEG-TS.
func (s *Server) pictureTS(ctx context.Context, from *Segment) ([]byte, error) {
	b, err := from.IFrame()
	if err != nil {
		return nil, fmt.Errorf("read I-frame: %w", err)
	}
	program, err := mpegts.Read(b)
	if err != nil {
		return nil, err
	}
	video := program.Media()
	if video == nil || !video.Video() {
		return nil, fmt.Errorf("segment %d has no picture", from.Number)
	}
	track, err := video.Track()
	if err != nil {
		return nil, err
	}
	samples, err := video.Samples()
	if err != nil {
		return nil, err
	}
	if len(samples) == 0 || !samples[0].Key {
		return nil, fmt.Errorf("segment %d does not begin with an I-frame", from.Number)
	}
	return s.make(ctx, &media.Packet{Track: track, Key: true, Payload: samples[0].Payload}, width)
}

// compose draws the pictures of a sheet into their places.
func compose(sh *sheet, height int) ([]byte, error) {
	all := image.NewRGBA(image.Rect(0, 0, side*width, side*height))
	for i := 3; i < len(all.Pix); i += 4 {
		all.Pix[i] = 0xff
	}
	for i, b := range sh.tiles {
		picture := read(b)
		if picture == nil {
			continue
		}
		cell := image.Rect(0, 0, width, height).Add(image.Pt(i%side*width, i/side*height))
		size := picture.Bounds().Size()
		// In the middle, should the aspect be another one than it was.
		at := picture.Bounds().Min.Add(image.Pt((size.X-width)/2, (size.Y-height)/2))
		draw.Draw(all, cell, picture, at, draw.Src)
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, all, &jpeg.Options{Quality: quality}); err != nil {
		return nil, fmt.Errorf("draw storyboard: %w", err)
	}
	return out.Bytes(), nil
}

// read decodes a picture that a worker made, nil where it is none: workers
// decode what strangers send.
func read(b []byte) image.Image {
	c, err := jpeg.DecodeConfig(bytes.NewReader(b))
	if err != nil || c.Width > 2*width || c.Height > 8*width {
		return nil
	}
	picture, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		return nil
	}
	return picture
}
