package testmedia

import (
	"fmt"
	"image"
	"math"
	"strings"
	"time"
)

// PictureOptions says what to draw on. Everything but the size has a default.
type PictureOptions struct {
	Width, Height int // luma samples, even

	// AspectNum and AspectDen are the width over the height of one sample
	// when displayed (SAR); zero means square.
	AspectNum, AspectDen int

	Label string // a line of text, such as the clip's name

	// Detail is how much fine, moving texture lies behind everything, from 0
	// (none; cheap to encode) to 1. Benchmarks want some, so that an encoder
	// has to work as with a camera's picture.
	Detail float64
}

// Picture draws frames. What it draws depends on the options and the stamp
// alone, so that two runs make the same pictures. A Picture may be used by one
// goroutine at a time.
type Picture struct {
	o      PictureOptions
	aspect float64
	layout Layout

	ground    *Frame // larger than the picture where it moves
	clock     *font
	small     *font
	ball      *ball
	hue       hueBand
	panels    []image.Rectangle
	clockAt   image.Point
	numberAt  image.Point
	labelAt   image.Point
	flash     image.Rectangle
	bar       image.Rectangle
	floor     image.Rectangle // where the ball lives
	columns   []int           // the strip's block edges
	rows      []int
	other     *Frame // second field
	stripGrid image.Rectangle
}

// NewPicture prepares a picture of the given size.
func NewPicture(o PictureOptions) (*Picture, error) {
	if _, err := NewFrame(o.Width, o.Height); err != nil {
		return nil, fmt.Errorf("make picture: %w", err)
	}
	p := &Picture{o: o, aspect: 1}
	if o.AspectNum > 0 && o.AspectDen > 0 {
		p.aspect = float64(o.AspectNum) / float64(o.AspectDen)
	}
	p.o.Label = strings.ToUpper(o.Label)
	p.arrange()
	var err error
	if p.ground, err = newGround(o.Width, o.Height, o.Detail); err != nil {
		return nil, fmt.Errorf("make picture: %w", err)
	}
	return p, nil
}

const paper = 30 // luma behind text

// arrange decides where everything stands.
func (p *Picture) arrange() {
	w, h := p.o.Width, p.o.Height
	fw, fh := float64(w), float64(h)
	p.layout = layouts[0]
	if fw*p.aspect < fh {
		p.layout = layouts[1]
	}
	l := p.layout
	p.columns = edges(l.Left, l.Right, l.blocks(), w)
	p.rows = edges(l.Top, l.Bottom, l.Rows, h)
	p.stripGrid = image.Rect(even(fw*(l.Left-0.02)), even(fh*(l.Top-0.015)), even(fw*(l.Right+0.02)), even(fh*(l.Bottom+0.015))+2)

	clock := min(fh*0.2, fw*0.92*p.aspect/(12*cellWidth)*(1+2*textMargin))
	p.clock = newFont(max(even(clock), 2), p.aspect, white, paper)
	p.small = newFont(max(even(clock*0.44), 2), p.aspect, 200, paper)
	width := p.clock.width * 12
	left := max((w-width)/2, 0) &^ 1
	top := even(fh * 0.25)
	p.clockAt = image.Pt(left, top)
	p.numberAt = image.Pt(left, top+p.clock.height)
	p.labelAt = image.Pt(left, even(fh*0.155))
	pad := even(clock*0.12) + 2
	p.panels = []image.Rectangle{p.stripGrid, image.Rect(left-pad, top-pad, left+(width+1)&^1+pad, (p.numberAt.Y+p.small.height+pad)&^1)}
	if p.o.Label != "" {
		p.panels = append(p.panels, image.Rect(left-pad, p.labelAt.Y, left+(len(p.o.Label)*p.small.width+1)&^1+pad, p.labelAt.Y+p.small.height))
	}
	side := p.small.height
	p.flash = image.Rect(left+width+pad-even(float64(side)/p.aspect)*2, p.labelAt.Y, (left+width+pad)&^1, p.labelAt.Y+side)
	p.flash.Min.X &^= 1
	p.bar = image.Rect(0, even(fh*0.585), w, even(fh*0.585)+max(even(fh*0.015), 2))
	p.hue = newHueBand(w, p.bar.Max.Y, even(fh*0.68))
	p.floor = image.Rect(0, p.hue.bottom, w, h)
	p.ball = newBall(fh*0.055, p.aspect)
}

// NewFrame returns a frame of the picture's size to draw on.
func (p *Picture) NewFrame() *Frame {
	f, _ := NewFrame(p.o.Width, p.o.Height) // the size was good for NewPicture
	return f
}

// Draw draws the picture of s. The frame must have the picture's size.
func (p *Picture) Draw(dst *Frame, s Stamp) { p.draw(dst, s, s.Wall) }

// DrawFields draws an interlaced picture, top field first: everything that
// moves is later by half of period in the bottom field. Both fields carry the
// same stamp.
func (p *Picture) DrawFields(dst *Frame, s Stamp, period time.Duration) {
	if p.other == nil {
		p.other = p.NewFrame()
	}
	p.draw(dst, s, s.Wall)
	p.draw(p.other, s, s.Wall.Add(period/2))
	for _, pl := range [][2][]byte{{dst.Y, p.other.Y}, {dst.Cb, p.other.Cb}, {dst.Cr, p.other.Cr}} {
		stride := dst.CStride
		if len(pl[0]) == len(dst.Y) {
			stride = dst.YStride
		}
		for at := stride; at < len(pl[0]); at += 2 * stride {
			copy(pl[0][at:at+stride], pl[1][at:at+stride])
		}
	}
}

// draw draws the stamp s and everything that moves as it is at the time move.
func (p *Picture) draw(dst *Frame, s Stamp, move time.Time) {
	ms := move.UnixMilli()
	p.drawGround(dst, ms)
	for _, r := range p.panels {
		dst.rect(r, paper)
	}
	p.drawStrip(dst, s)
	p.clock.print(dst, p.clockAt, s.Wall.UTC().Format("15:04:05.000"))
	p.small.print(dst, p.numberAt, fmt.Sprintf("#%07d  %s", s.Frame, s.Wall.UTC().Format("2006-01-02 UTC")))
	p.small.print(dst, p.labelAt, p.o.Label)
	second := int(ms % 1000)
	if second < 100 {
		dst.rect(p.flash, white)
	}
	dst.rect(p.bar, paper)
	done := p.bar
	done.Max.X = (done.Dx() * second / 1000) &^ 1
	dst.rect(done, 200)
	p.hue.draw(dst, even(float64(ms%8000)/8000*float64(p.o.Width)))
	p.drawBall(dst, ms)
}

// drawGround copies the background, moved along a closed path of eight seconds
// where it is larger than the picture.
func (p *Picture) drawGround(dst *Frame, ms int64) {
	w, h := p.o.Width, p.o.Height
	angle := 2 * math.Pi * float64(ms%8000) / 8000
	x := even(float64(p.ground.Rect.Dx()-w) * (1 + math.Cos(angle)) / 2)
	y := even(float64(p.ground.Rect.Dy()-h) * (1 + math.Sin(angle)) / 2)
	for row := range h {
		copy(dst.Y[row*dst.YStride:(row+1)*dst.YStride], p.ground.Y[(y+row)*p.ground.YStride+x:])
	}
	for row := range h / 2 {
		to, from := row*dst.CStride, (y/2+row)*p.ground.CStride+x/2
		copy(dst.Cb[to:to+w/2], p.ground.Cb[from:])
		copy(dst.Cr[to:to+w/2], p.ground.Cr[from:])
	}
}

func (p *Picture) drawStrip(dst *Frame, s Stamp) {
	bits := encodeStrip(s)
	l := p.layout
	n := l.blocks()
	for row := range l.Rows {
		first := p.rows[row] * dst.YStride
		line := dst.Y[first : first+dst.YStride]
		for i := range n {
			on := i == 0 || i == n-1
			if i >= guardBits && i < n-guardBits {
				on = bits[row*l.Bits+i-guardBits]
			}
			v := byte(black)
			if on {
				v = white
			}
			fill(line[p.columns[i]:p.columns[i+1]], v)
		}
		for y := p.rows[row] + 1; y < p.rows[row+1]; y++ {
			at := y*dst.YStride + p.columns[0]
			copy(dst.Y[at:at+p.columns[n]-p.columns[0]], line[p.columns[0]:])
		}
	}
}

// drawBall lets the ball jump once a second, touching the ground at the whole
// second, when the sound beeps.
func (p *Picture) drawBall(dst *Frame, ms int64) {
	b := p.ball
	across := float64(ms%6000) / 3000
	if across > 1 {
		across = 2 - across
	}
	up := float64(ms%1000) / 1000
	up = 4 * up * (1 - up)
	room := p.floor
	x := float64(room.Min.X) + across*float64(room.Dx()-b.width)
	y := float64(room.Max.Y-b.height) - up*float64(room.Dy()-b.height)*0.95
	b.draw(dst, image.Pt(even(x), max(even(y), 0)))
}
