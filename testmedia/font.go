package testmedia

import (
	"image"
	"math"
	"strings"
)

// glyphs are the letters as strokes on a grid of 5 by 7 points: each pair of
// digits is a point (column, row), points of one stroke are joined by lines,
// commas part strokes.
var glyphs = map[rune]string{
	'0': "10 30 41 45 36 16 05 01 10", '1': "11 20 26,16 36", '2': "01 10 30 41 42 06 46",
	'3': "01 10 30 41 42 33 44 45 36 16 05,13 33", '4': "30 04 44,30 36", '5': "40 00 03 33 44 45 36 16 05",
	'6': "41 30 10 01 05 16 36 45 44 33 03", '7': "00 40 16", '8': "10 30 41 42 33 13 02 01 10,13 04 05 16 36 45 44 33",
	'9': "05 16 36 45 41 30 10 01 02 13 43",
	'A': "06 02 20 42 46,04 44", 'B': "03 33 42 41 30 00 06 36 45 44 33", 'C': "41 30 10 01 05 16 36 45",
	'D': "00 30 41 45 36 06 00", 'E': "40 00 06 46,03 33", 'F': "40 00 06,03 33", 'G': "41 30 10 01 05 16 36 45 43 23",
	'H': "00 06,40 46,03 43", 'I': "10 30,20 26,16 36", 'J': "40 45 36 16 05", 'K': "00 06,40 03 46", 'L': "00 06 46",
	'M': "06 00 23 40 46", 'N': "06 00 46 40", 'O': "10 30 41 45 36 16 05 01 10", 'P': "06 00 30 41 42 33 03",
	'Q': "10 30 41 45 36 16 05 01 10,24 46", 'R': "06 00 30 41 42 33 03,23 46",
	'S': "41 30 10 01 02 13 33 44 45 36 16 05", 'T': "00 40,20 26", 'U': "00 05 16 36 45 40", 'V': "00 26 40",
	'W': "00 16 22 36 40", 'X': "00 46,40 06", 'Y': "00 23 40,23 26", 'Z': "00 40 06 46",
	':': "22 22,25 25", '.': "26 26", ',': "26 17", '-': "13 33", '_': "06 46", '+': "13 33,22 24", '/': "40 06",
	'#': "10 16,30 36,02 42,04 44", '(': "30 21 25 36", ')': "10 21 25 16",
}

const (
	cellWidth  = 0.68 // of a letter's height, with the gap to the next letter
	penWidth   = 0.13 // of a letter's height
	capWidth   = 0.44 // distance of the grid's outer columns, of a letter's height
	textMargin = 0.1  // above and below the letters, of a letter's height
)

// font holds the letters drawn once at one size, as luma to be copied.
type font struct {
	width, height int // of a cell
	cells         map[rune][]byte
}

// newFont draws all letters in ink on paper. Height is that of a cell; aspect
// is the width of one sample over its height when displayed.
func newFont(height int, aspect float64, ink, paper byte) *font {
	f := &font{height: height, cells: make(map[rune][]byte, len(glyphs)+1)}
	em := float64(height) / (1 + 2*textMargin)
	f.width = max(int(math.Round(em*cellWidth/aspect)), 1)
	for r, strokes := range glyphs {
		f.cells[r] = f.draw(strokes, em, aspect, ink, paper)
	}
	f.cells[' '] = f.draw("", em, aspect, ink, paper)
	return f
}

// draw makes one cell; each sample's ink follows its distance to the nearest
// stroke, so that edges are smooth at every size.
func (f *font) draw(strokes string, em, aspect float64, ink, paper byte) []byte {
	type point struct{ x, y float64 }
	var lines [][2]point
	pen := em * penWidth
	for _, stroke := range strings.Split(strokes, ",") {
		var last *point
		for _, s := range strings.Fields(stroke) {
			p := point{
				x: (cellWidth-capWidth)/2*em + float64(s[0]-'0')/4*capWidth*em,
				y: textMargin*em + pen/2 + float64(s[1]-'0')/6*(em-pen),
			}
			if last != nil {
				lines = append(lines, [2]point{*last, p})
			}
			last = &p
		}
	}
	cell := make([]byte, f.width*f.height)
	for y := range f.height {
		for x := range f.width {
			px, py := (float64(x)+0.5)*aspect, float64(y)+0.5
			nearest := math.Inf(1)
			for _, l := range lines {
				dx, dy := l[1].x-l[0].x, l[1].y-l[0].y
				t := 0.0
				if n := dx*dx + dy*dy; n > 0 {
					t = min(max(((px-l[0].x)*dx+(py-l[0].y)*dy)/n, 0), 1)
				}
				nearest = min(nearest, math.Hypot(px-l[0].x-t*dx, py-l[0].y-t*dy))
			}
			cover := min(max(pen/2-nearest+0.5, 0), 1)
			cell[y*f.width+x] = clamp(float64(paper) + cover*(float64(ink)-float64(paper)))
		}
	}
	return cell
}

// print copies text into the luma plane with its top left corner at at;
// letters that do not fit are left out, unknown ones are blanks.
func (f *font) print(dst *Frame, at image.Point, text string) {
	for _, r := range text {
		cell, ok := f.cells[r]
		if !ok {
			cell = f.cells[' ']
		}
		if image.Rect(at.X, at.Y, at.X+f.width, at.Y+f.height).In(dst.Rect) {
			for row := range f.height {
				copy(dst.Y[(at.Y+row)*dst.YStride+at.X:], cell[row*f.width:(row+1)*f.width])
			}
		}
		at.X += f.width
	}
}
