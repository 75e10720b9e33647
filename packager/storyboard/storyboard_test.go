package storyboard

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/fmp4"
	"github.com/millrace/millrace/packager/mpegts"
)

// avcConfig is x264's for 320x180, Constrained Baseline 3.0.
var avcConfig, _ = hex.DecodeString("0142c01effe1001a6742c01ed9014185be78400000030040000007a3c58b92010004" + "68cb83cb20")

// painter makes a picture of the one shade that the keyframe says.
type painter struct {
	calls  []byte
	broken map[byte]bool
}

var errBroken = errors.New("cannot be decoded")

func (p *painter) make(_ context.Context, key *media.Packet, width int) ([]byte, error) {
	shade := key.Payload[0]
	p.calls = append(p.calls, shade)
	if !key.Key || key.Track.Codec != media.H264 || !bytes.Equal(key.Track.Config, avcConfig) {
		return nil, fmt.Errorf("no keyframe of the track: %+v", key)
	}
	if p.broken[shade] {
		return nil, errBroken
	}
	img := image.NewGray(image.Rect(0, 0, width, 90))
	draw.Draw(img, img.Rect, image.NewUniform(color.Gray{shade}), image.Point{}, draw.Src)
	var b bytes.Buffer
	err := jpeg.Encode(&b, img, nil)
	return b.Bytes(), err
}

// board lists segments of two seconds whose pictures have the shade of their
// number; each fifth of them has one.
func board(t *testing.T, from, to uint64, growing bool) *Board {
	t.Helper()
	section, err := fmp4.Init(&media.Track{ID: 1, Kind: media.Video, Codec: media.H264, ClockRate: 90000, Config: avcConfig, Width: 320, Height: 180}, fmp4.Bitrates{})
	if err != nil {
		t.Fatal(err)
	}
	b := &Board{Every: 5, Width: 320, Height: 180, Growing: growing}
	for n := from; n < to; n++ {
		b.Segments = append(b.Segments, Segment{
			Number: n, Start: b.Lasts,
			Section: func() ([]byte, error) { return section, nil },
			IFrame: func() ([]byte, error) {
				sample := fmp4.Sample{Key: true, Duration: 3600, Payload: []byte{byte(n), 0, 0, 0}}
				return append(fmp4.AppendFragment(nil, 1, n*180000, []fmp4.Sample{sample}), sample.Payload...), nil
			},
		})
		b.Lasts += 2 * time.Second
	}
	return b
}

// shades reads a sheet: the shade of each place, -1 for a black one.
func shades(t *testing.T, sheet []byte) []int {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(sheet))
	if err != nil || img.Bounds().Dx() != 800 || img.Bounds().Dy() != 450 {
		t.Fatalf("no sheet: %v", err)
	}
	var out []int
	for i := range 25 {
		g := int(color.GrayModel.Convert(img.At(i%5*160+80, i/5*90+45)).(color.Gray).Y)
		if g < 8 {
			g = -1
		}
		out = append(out, g)
	}
	return out
}

// Of MPEG-TS the picture comes with its own description.
func TestTransportStream(t *testing.T) {
	config, err := hex.DecodeString("0142c01effe100196742c01ed901419f9f011000000300100000030320f162e48001000568cb83cb20")
	if err != nil {
		t.Fatal(err)
	}
	m := mpegts.NewMuxer()
	if err := m.SetTrack(&media.Track{Kind: media.Video, Codec: media.H264, ClockRate: 90000, Config: config}, false); err != nil {
		t.Fatal(err)
	}
	unit := []byte{0, 0, 0, 2, 0x65, 7}
	b := m.AppendFrame(m.AppendTables(nil), mpegts.Frame{Key: true, Duration: 3600, Payload: unit})
	var got *media.Packet
	s := NewServer(func(_ context.Context, p *media.Packet, _ int) ([]byte, error) {
		got = p
		return nil, errBroken
	})
	from := &Segment{Number: 5, IFrame: func() ([]byte, error) { return b, nil }}
	if _, err := s.picture(t.Context(), from); !errors.Is(err, errBroken) {
		t.Fatal(err)
	}
	if got.Track.Width != 320 || !bytes.Equal(got.Track.Config, config) || !bytes.Equal(got.Payload, unit) {
		t.Errorf("%+v of %s", got, got.Track)
	}
	b = b[:376]
	if _, err := s.picture(t.Context(), from); err == nil || errors.Is(err, errBroken) {
		t.Errorf("without a picture: %v", err)
	}
}

func TestEvery(t *testing.T) {
	for _, c := range []struct {
		total, segment time.Duration
		want           uint64
	}{
		{30 * time.Second, 2 * time.Second, 3},
		{time.Hour, 2 * time.Second, 3},     // each 6 s
		{2 * time.Hour, 2 * time.Second, 5}, // each 10 s: 720 pictures
		{24 * time.Hour, 2 * time.Second, 60},
		{time.Minute, 6 * time.Second, 1},
		{time.Minute, time.Minute, 1},
		{0, 0, 5000},
	} {
		if got := Every(c.total, c.segment); got != c.want {
			t.Errorf("%v in segments of %v: one in %d, want %d", c.total, c.segment, got, c.want)
		}
	}
}

func TestVTT(t *testing.T) {
	// The playlist begins within the five segments of a picture, and ends in
	// the second sheet.
	got := string(board(t, 103, 128, true).VTT())
	want := `WEBVTT

00:00:00.000 --> 00:00:04.000
storyboard-0.jpg#xywh=0,360,160,90

00:00:04.000 --> 00:00:14.000
storyboard-0.jpg#xywh=160,360,160,90

00:00:14.000 --> 00:00:24.000
storyboard-0.jpg#xywh=320,360,160,90

00:00:24.000 --> 00:00:34.000
storyboard-0.jpg#xywh=480,360,160,90

00:00:34.000 --> 00:00:44.000
storyboard-0.jpg#xywh=640,360,160,90

00:00:44.000 --> 00:00:50.000
storyboard-1.jpg?n=1#xywh=0,0,160,90
`
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if got := string(board(t, 103, 128, false).VTT()); got != strings.Replace(want, "?n=1", "", 1) {
		t.Errorf("when nothing follows:\n%s", got)
	}
	b := board(t, 100, 115, false)
	b.Width, b.Height = 180, 320
	b.Segments[5].IFrame = nil // 105 has none, 106 stands in
	if got := string(b.VTT()); !strings.Contains(got, "00:00:00.000 --> 00:00:12.000\nstoryboard-0.jpg#xywh=0,1136,160,284\n\n00:00:12.000 --> 00:00:20.000\n") {
		t.Errorf("%s", got)
	}
}

func TestSheets(t *testing.T) {
	p := &painter{}
	s := NewServer(p.make)
	get := func(b *Board, n uint64) ([]int, bool) {
		t.Helper()
		sheet, final, err := s.Sheet(t.Context(), b, n)
		if err != nil {
			t.Fatal(err)
		}
		return shades(t, sheet), final
	}
	near := func(places []int, want map[int]int) {
		t.Helper()
		for i, got := range places {
			w, drawn := want[i]
			if !drawn {
				w = -1
			}
			if got-w > 3 || w-got > 3 {
				t.Errorf("place %d has %d, want %d", i, got, w)
			}
		}
	}
	places, final := get(board(t, 100, 111, true), 0)
	near(places, map[int]int{20: 100, 21: 105, 22: 110})
	if final || len(p.calls) != 3 {
		t.Errorf("final %v, %d pictures", final, len(p.calls))
	}
	get(board(t, 101, 112, true), 0)
	if len(p.calls) != 3 {
		t.Errorf("%d pictures were made to serve three", len(p.calls))
	}
	// The first picture has left the playlist, another one has come.
	places, final = get(board(t, 106, 117, true), 0)
	near(places, map[int]int{20: 100, 21: 105, 22: 110, 23: 115})
	if final || len(p.calls) != 4 {
		t.Errorf("final %v, %d pictures", final, len(p.calls))
	}
	if _, final = get(board(t, 112, 127, true), 0); !final || len(p.calls) != 5 {
		t.Errorf("final %v, %d pictures", final, len(p.calls))
	}
	if places, _ = get(board(t, 112, 127, true), 1); len(p.calls) != 6 {
		t.Errorf("%d pictures", len(p.calls))
	}
	near(places, map[int]int{0: 125})
	if _, _, err := s.Sheet(t.Context(), board(t, 112, 127, true), 2); !errors.Is(err, ErrNoSheet) {
		t.Errorf("a sheet without pictures: %v", err)
	}
	for n := range uint64(100) {
		get(board(t, n*125, n*125+1, false), n)
	}
	if len(s.sheets) > maxSheets {
		t.Errorf("%d sheets are kept", len(s.sheets))
	}
}

// A picture that cannot be made costs its place, after two tries, and holds up
// the others for one of them.
func TestBrokenPicture(t *testing.T) {
	p := &painter{broken: map[byte]bool{105: true}}
	s, b := NewServer(p.make), board(t, 100, 125, false)
	for i, want := range []struct {
		final bool
		calls string
	}{{false, "[100 105]"}, {true, "[100 105 105 110 115 120]"}, {true, "[100 105 105 110 115 120]"}} {
		sheet, final, err := s.Sheet(t.Context(), b, 0)
		if err != nil || final != want.final || fmt.Sprint(p.calls) != want.calls {
			t.Errorf("try %d: final %v, made %v, %v", i, final, p.calls, err)
		}
		if got := shades(t, sheet); got[20] < 90 || got[21] != -1 || final != (got[24] > 100) {
			t.Errorf("try %d: %v", i, got)
		}
	}
}

func TestServe(t *testing.T) {
	s := NewServer((&painter{}).make)
	get := func(b *Board, n uint64) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		s.Serve(w, httptest.NewRequest(http.MethodGet, "/"+SheetName(n), nil), b, n)
		return w
	}
	if w := get(board(t, 100, 105, true), 0); w.Code != 200 || w.Header().Get("Cache-Control") != "public, max-age=5" || w.Header().Get("Content-Type") != "image/jpeg" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := get(board(t, 100, 127, true), 0); w.Header().Get("Cache-Control") != "public, max-age=3600" {
		t.Errorf("%v", w.Header())
	}
	if w := get(board(t, 100, 105, true), 7); w.Code != http.StatusNotFound {
		t.Errorf("a sheet that is not there: %d", w.Code)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	s.Serve(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil), board(t, 200, 205, true), 1)
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("for who has left: %d", w.Code)
	}
}

func TestSheetNumber(t *testing.T) {
	for name, want := range map[string]int{
		"storyboard-0.jpg": 0, "storyboard-14000000.jpg": 14000000, "storyboard-.jpg": -1, "storyboard-01.jpg": -1,
		"storyboard-1.png": -1, "storyboard.vtt": -1, "board-1.jpg": -1, "storyboard--1.jpg": -1, "storyboard-99999999999999999999.jpg": -1,
	} {
		if n, ok := SheetNumber(name); ok != (want >= 0) || ok && int(n) != want {
			t.Errorf("%s: %d, %v", name, n, ok)
		}
	}
}
