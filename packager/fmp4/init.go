package fmp4

import (
	"errors"
	"fmt"

	"github.com/millrace/millrace/internal/media"
)

// TrackID is the ID of the one track in every file.
const TrackID = 1

// Bitrates are what btrt tells a player, in bits/s; zero is left out.
type Bitrates struct{ Max, Average int }

// ErrNoConfig says that a track's decoder configuration is missing or broken.
var ErrNoConfig = errors.New("no usable decoder configuration")

// Init writes the initialization section of a track. It fails for a codec that
// has no place in fMP4 here and with ErrNoConfig.
func Init(t *media.Track, rates Bitrates) ([]byte, error) {
	entry, err := sampleEntry(t, rates)
	if err != nil {
		return nil, fmt.Errorf("describe %s track: %w", t.Codec, err)
	}
	w := &writer{b: make([]byte, 0, 1024)}
	w.box("ftyp", func() {
		w.str("iso6") // default-base-is-moof and signed composition offsets
		w.u32(1)
		w.str("iso6")
		w.str("cmfc") // ISO/IEC 23000-19 §7.2
		w.str("mp41")
	})
	w.box("moov", func() {
		w.full("mvhd", 0, func() {
			w.zero(8)      // creation and modification time
			w.u32(1000)    // timescale
			w.u32(0)       // duration: fragments follow
			w.u32(0x10000) // rate 1.0
			w.u16(0x100)   // volume 1.0
			w.zero(10)
			w.matrix(0, 0, 0)
			w.zero(24)
			w.u32(TrackID + 1)
		})
		w.trak(t, entry)
		w.box("mvex", func() {
			w.full("trex", 0, func() {
				w.u32(TrackID)
				w.u32(1) // sample description
				w.zero(12)
			})
		})
	})
	return w.b, nil
}

func (w *writer) trak(t *media.Track, entry []byte) {
	video := t.Kind == media.Video
	w.box("trak", func() {
		w.full("tkhd", 7, func() { // enabled, in movie, in preview
			w.zero(8)
			w.u32(TrackID)
			w.zero(4 + 4 + 8) // reserved, duration, reserved
			w.u16(0)          // layer
			if video {
				w.u16(0)
				w.u16(0) // volume
			} else {
				w.u16(1) // alternate group
				w.u16(0x100)
			}
			w.u16(0)
			if !video {
				w.matrix(0, 0, 0)
				w.zero(8)
				return
			}
			width, height := squared(t)
			w.matrix(t.Rotation, width, height)
			w.u32(uint32(width) << 16)
			w.u32(uint32(height) << 16)
		})
		w.box("mdia", func() {
			w.full("mdhd", 0, func() {
				w.zero(8)
				w.u32(uint32(t.ClockRate))
				w.u32(0)
				w.u16(packLanguage(t.Language))
				w.u16(0)
			})
			w.full("hdlr", 0, func() {
				w.u32(0)
				if video {
					w.str("vide")
				} else {
					w.str("soun")
				}
				w.zero(12)
				w.str("Millrace\x00")
			})
			w.box("minf", func() {
				if video {
					w.full("vmhd", 1, func() { w.zero(8) })
				} else {
					w.full("smhd", 0, func() { w.zero(4) })
				}
				w.box("dinf", func() {
					w.full("dref", 0, func() {
						w.u32(1)
						w.full("url ", 1, nothing) // in this file
					})
				})
				w.box("stbl", func() {
					w.full("stsd", 0, func() {
						w.u32(1)
						w.bytes(entry)
					})
					w.full("stts", 0, func() { w.u32(0) })
					w.full("stsc", 0, func() { w.u32(0) })
					w.full("stsz", 0, func() { w.u32(0); w.u32(0) })
					w.full("stco", 0, func() { w.u32(0) })
				})
			})
		})
	})
}

// matrix writes the transformation that turns a picture clockwise by rotation
// degrees and moves it back into the positive quadrant (ISO/IEC 14496-12
// §6.2.2).
func (w *writer) matrix(rotation, width, height int) {
	var a, b, c, d int32 = 1, 0, 0, 1
	var x, y int
	switch rotation {
	case 90:
		a, b, c, d, x = 0, 1, -1, 0, height
	case 180:
		a, d, x, y = -1, -1, width, height
	case 270:
		a, b, c, d, y = 0, -1, 1, 0, width
	}
	for _, v := range []uint32{
		uint32(a << 16), uint32(b << 16), 0,
		uint32(c << 16), uint32(d << 16), 0,
		uint32(x) << 16, uint32(y) << 16, 0x40000000,
	} {
		w.u32(v)
	}
}

// squared is the size of the picture with square samples, before rotation.
func squared(t *media.Track) (width, height int) {
	width, height = t.Width, t.Height
	if sar := t.SampleAspect; sar.Known() && sar.Num != sar.Den {
		width = int(media.Rescale(int64(t.Width), sar.Den, sar.Num))
	}
	return min(width, 0xffff), min(height, 0xffff)
}

// DisplaySize is the size at which a player shows the track: samples squared,
// rotation applied.
func DisplaySize(t *media.Track) (width, height int) {
	width, height = squared(t)
	if t.Rotation == 90 || t.Rotation == 270 {
		width, height = height, width
	}
	return width, height
}

// packLanguage packs an ISO 639-2 code into mdhd; anything else is "und",
// because the playlist carries the BCP 47 tag.
func packLanguage(tag string) uint16 {
	if len(tag) != 3 {
		tag = "und"
	}
	var v uint16
	for _, c := range []byte(tag) {
		if c < 'a' || c > 'z' {
			return packLanguage("und")
		}
		v = v<<5 | uint16(c-0x60)
	}
	return v
}
