package storyboard

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Names of the files, beside a multivariant playlist: of the media playlists,
// and of the long ones. Sheets are named by number.
const (
	File     = "storyboard.vtt"
	LongFile = "dvr-storyboard.vtt"

	sheetPrefix, sheetSuffix = "storyboard-", ".jpg"
)

// The geometry of a sheet: rows and columns of pictures, so many pixels wide.
const (
	side  = 5
	tiles = side * side
	width = 160
)

// The distance of two pictures: at least minInterval, in steps of it, and such
// that there are no more than maxPictures.
const (
	minInterval = 5 * time.Second
	maxPictures = 720
)

// Segment is a media segment of the rendition that pictures are made of.
type Segment struct {
	Number uint64
	Start  time.Duration // since the beginning of the playlist
	// Section reads the initialization section, IFrame the range of the
	// segment that holds the picture it begins with: nil where it has none.
	// MPEG-TS has no section.
	Section, IFrame func() ([]byte, error)
}

// Board is what pictures can be made of.
type Board struct {
	Segments      []Segment // in the order of their numbers, as a playlist lists them
	Lasts         time.Duration
	Every         uint64 // one picture for so many segments, see Every
	Width, Height int    // of the rendition as it is shown
	Growing       bool   // there may be more segments than these later
}

// Every is how many segments share a picture in a playlist that lasts as long
// as total, or may come to.
func Every(total, segment time.Duration) uint64 {
	interval := max((total/maxPictures + minInterval - 1).Truncate(minInterval), minInterval)
	return uint64(max((interval+segment/2)/max(segment, time.Millisecond), 1))
}

// picture is one of a board: its place in all sheets and what it is made of.
type picture struct {
	place   uint64
	segment *Segment
}

func (p picture) sheet() uint64 { return p.place / tiles }
func (p picture) tile() int     { return int(p.place % tiles) }

// pictures lists them in order. The place follows from the number of the
// segment, so that a playlist that slides does not move it.
func (b *Board) pictures() []picture {
	var out []picture
	for i := range b.Segments {
		s := &b.Segments[i]
		place := s.Number / b.Every
		if s.IFrame != nil && (len(out) == 0 || out[len(out)-1].place < place) {
			out = append(out, picture{place, s})
		}
	}
	return out
}

// open reports whether a sheet may still get pictures.
func (b *Board) open(sheet uint64) bool {
	n := len(b.Segments)
	return b.Growing && n > 0 && b.Segments[n-1].Number/b.Every/tiles <= sheet
}

// height is that of a picture in a sheet, even and as the aspect asks for.
func (b *Board) height() int {
	if b.Width <= 0 || b.Height <= 0 {
		return width * 9 / 16
	}
	return min(max((width*b.Height/b.Width+1)/2*2, 16), 4*width)
}

// VTT writes the file: times are since the beginning of the playlist, and the
// last cue ends with it.
func (b *Board) VTT() []byte {
	all := b.pictures()
	out := make([]byte, 0, 16+90*len(all))
	out = append(out, "WEBVTT\n"...)
	for i, p := range all {
		from, to := p.segment.Start, b.Lasts
		if i == 0 {
			from = 0
		}
		if i+1 < len(all) {
			to = all[i+1].segment.Start
		}
		name := SheetName(p.sheet())
		if b.open(p.sheet()) {
			// A sheet that grows has another address each time, since
			// players keep pictures that they have loaded.
			name += "?n=" + strconv.Itoa(all[len(all)-1].tile()+1)
		}
		x, y := p.tile()%side*width, p.tile()/side*b.height()
		out = fmt.Appendf(out, "\n%s --> %s\n%s#xywh=%d,%d,%d,%d\n", stamp(from), stamp(to), name, x, y, width, b.height())
	}
	return out
}

// stamp is a WebVTT timestamp.
func stamp(d time.Duration) string {
	ms := d.Milliseconds()
	return fmt.Sprintf("%02d:%02d:%02d.%03d", ms/3_600_000, ms/60_000%60, ms/1000%60, ms%1000)
}

// SheetName is the file name of a sheet.
func SheetName(number uint64) string {
	return sheetPrefix + strconv.FormatUint(number, 10) + sheetSuffix
}

// SheetNumber reads the name of a sheet.
func SheetNumber(name string) (uint64, bool) {
	text, ok := strings.CutPrefix(name, sheetPrefix)
	if ok {
		text, ok = strings.CutSuffix(text, sheetSuffix)
	}
	n, err := strconv.ParseUint(text, 10, 64)
	return n, ok && err == nil && SheetName(n) == name
}

// Sheets lists the numbers of the sheets that VTT names.
func (b *Board) Sheets() []uint64 {
	var out []uint64
	for _, p := range b.pictures() {
		if n := p.sheet(); len(out) == 0 || out[len(out)-1] != n {
			out = append(out, n)
		}
	}
	return out
}
