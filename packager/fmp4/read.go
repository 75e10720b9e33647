package fmp4

import (
	"errors"
	"fmt"
)

// ErrBroken says that bytes are no boxes, or boxes that contradict each other.
var ErrBroken = errors.New("broken fMP4")

// Fragment is a moof with its mdat as read back.
type Fragment struct {
	Sequence uint32
	TrackID  uint32
	Base     uint64 // decoding time of the first sample
	Samples  []Sample
	Size     int // bytes of moof and mdat

	// Subsamples say what of each sample is encrypted; nil where there is no
	// word of it.
	Subsamples [][]Subsample
}

// Duration is the sum of the samples' durations.
func (f *Fragment) Duration() uint64 {
	var d uint64
	for _, s := range f.Samples {
		d += uint64(s.Duration)
	}
	return d
}

// Header describes an initialization section.
type Header struct {
	Timescale uint32
	Handler   string // "vide", "soun"
	Entry     string // sample entry: "avc1", "mp4a", …
	Width     int    // of the sample entry
	Height    int
	Channels  int
	Matrix    [9]int32 // of tkhd
	Boxes     []Box    // inside the sample entry

	// Protection is nil for a track in the clear; Entry is what is encrypted.
	Protection *Protection
	Scheme     string // "cbcs"
}

// Box is a box as read back.
type Box struct {
	Name string
	Body []byte
}

// Box returns the content of a box inside the sample entry, nil if there is
// none.
func (h *Header) Box(name string) []byte {
	for _, b := range h.Boxes {
		if b.Name == name {
			return b.Body
		}
	}
	return nil
}

// ReadInit reads an initialization section with one track.
func ReadInit(b []byte) (*Header, error) {
	moov, err := find(b, "moov")
	if err != nil {
		return nil, err
	}
	trak, err := find(moov, "trak")
	if err != nil {
		return nil, err
	}
	h := &Header{}
	tkhd, err := find(trak, "tkhd")
	if err != nil {
		return nil, err
	}
	if len(tkhd) < 84 {
		return nil, fmt.Errorf("%w: short tkhd", ErrBroken)
	}
	for i := range h.Matrix {
		h.Matrix[i] = int32(be.Uint32(tkhd[40+4*i:]))
	}
	mdia, err := find(trak, "mdia")
	if err != nil {
		return nil, err
	}
	mdhd, err := find(mdia, "mdhd")
	if err != nil {
		return nil, err
	}
	hdlr, err := find(mdia, "hdlr")
	if err != nil {
		return nil, err
	}
	if len(mdhd) < 24 || len(hdlr) < 12 {
		return nil, fmt.Errorf("%w: short mdhd or hdlr", ErrBroken)
	}
	h.Timescale, h.Handler = be.Uint32(mdhd[12:]), string(hdlr[8:12])
	stsd := mdia
	for _, name := range []string{"minf", "stbl", "stsd"} {
		if stsd, err = find(stsd, name); err != nil {
			return nil, err
		}
	}
	if len(stsd) < 16 {
		return nil, fmt.Errorf("%w: empty stsd", ErrBroken)
	}
	return h, h.readEntry(stsd[8:])
}

func (h *Header) readEntry(b []byte) error {
	return each(b, func(name string, body []byte) error {
		h.Entry = name
		inner := entrySize(h.Handler)
		if len(body) < inner {
			return fmt.Errorf("%w: short sample entry", ErrBroken)
		}
		if h.Handler == "vide" {
			h.Width, h.Height = int(be.Uint16(body[24:])), int(be.Uint16(body[26:]))
		} else {
			h.Channels = int(be.Uint16(body[16:]))
		}
		if err := each(body[inner:], func(name string, body []byte) error {
			h.Boxes = append(h.Boxes, Box{name, body})
			return nil
		}); err != nil {
			return err
		}
		if h.Box("sinf") != nil {
			return h.readSinf()
		}
		return nil
	})
}

// entrySize is what a sample entry has before its boxes.
func entrySize(handler string) int {
	if handler == "vide" {
		return 78
	}
	return 28
}

// ReadFragments reads the fragments of a segment or part, with payloads that
// point into b. Other boxes between them are skipped.
func ReadFragments(b []byte) ([]Fragment, error) {
	var out []Fragment
	var moof []byte
	start, at := 0, 0
	err := each(b, func(name string, body []byte) error {
		size := len(body) + 8
		defer func() { at += size }()
		switch name {
		case "moof":
			if moof != nil {
				return fmt.Errorf("%w: moof without mdat", ErrBroken)
			}
			moof, start = body, at
		case "mdat":
			if moof == nil {
				return fmt.Errorf("%w: mdat without moof", ErrBroken)
			}
			f, err := readMoof(moof, b[start:at+size], at+8-start)
			if err != nil {
				return err
			}
			out = append(out, f)
			moof = nil
		}
		return nil
	})
	if err == nil && moof != nil {
		err = fmt.Errorf("%w: moof without mdat", ErrBroken)
	}
	return out, err
}

// readMoof reads one fragment; whole begins at the moof and mdat is where the
// mdat's content starts in it.
func readMoof(moof, whole []byte, mdat int) (Fragment, error) {
	f := Fragment{Size: len(whole)}
	mfhd, err := find(moof, "mfhd")
	if err != nil {
		return f, err
	}
	traf, err := find(moof, "traf")
	if err != nil {
		return f, err
	}
	tfhd, err := find(traf, "tfhd")
	if err != nil {
		return f, err
	}
	tfdt, err := find(traf, "tfdt")
	if err != nil {
		return f, err
	}
	trun, err := find(traf, "trun")
	if err != nil {
		return f, err
	}
	if len(mfhd) < 8 || len(tfhd) < 8 || len(tfdt) < 8 || len(trun) < 8 {
		return f, fmt.Errorf("%w: short box in moof", ErrBroken)
	}
	f.Sequence, f.TrackID, f.Base = be.Uint32(mfhd[4:]), be.Uint32(tfhd[4:]), uint64(be.Uint32(tfdt[4:]))
	if tfdt[0] == 1 {
		if len(tfdt) < 12 {
			return f, fmt.Errorf("%w: short tfdt", ErrBroken)
		}
		f.Base = be.Uint64(tfdt[4:])
	}
	d, err := readDefaults(tfhd)
	if err != nil {
		return f, err
	}
	if f.Samples, err = d.readTrun(trun, whole, mdat); err != nil {
		return f, err
	}
	f.Subsamples, err = readSenc(traf, len(f.Samples))
	return f, err
}

// defaults are what tfhd says of all samples of a fragment.
type defaults struct{ duration, size, flags uint32 }

func readDefaults(tfhd []byte) (d defaults, err error) {
	flags, rest := be.Uint32(tfhd)&0xffffff, tfhd[8:]
	if flags&tfhdDefaultBaseIsMoof == 0 {
		return d, fmt.Errorf("%w: data is not based on the moof", ErrBroken)
	}
	var description uint32
	for _, field := range []struct {
		flag uint32
		to   *uint32
	}{{2, &description}, {tfhdDefaultDuration, &d.duration}, {tfhdDefaultSize, &d.size}, {tfhdDefaultFlags, &d.flags}} {
		if flags&field.flag == 0 {
			continue
		}
		if len(rest) < 4 {
			return d, fmt.Errorf("%w: short tfhd", ErrBroken)
		}
		*field.to, rest = be.Uint32(rest), rest[4:]
	}
	return d, nil
}

// readTrun reads the samples; whole begins at the moof, and no sample may
// begin before mdat.
func (d defaults) readTrun(trun, whole []byte, mdat int) ([]Sample, error) {
	has, count, rest := be.Uint32(trun)&0xffffff, int(be.Uint32(trun[4:])), trun[8:]
	fixed, each := 0, 0
	for _, f := range []uint32{trunDataOffset, trunFirstFlags} {
		if has&f != 0 {
			fixed += 4
		}
	}
	for _, f := range []uint32{trunDuration, trunSize, trunFlags, trunOffset} {
		if has&f != 0 {
			each += 4
		}
	}
	if has&trunDataOffset == 0 || len(rest) < fixed || each == 0 && count > len(whole) || each > 0 && count > (len(rest)-fixed)/each {
		return nil, fmt.Errorf("%w: bad trun", ErrBroken)
	}
	next := func(flag, otherwise uint32) uint32 {
		if has&flag == 0 {
			return otherwise
		}
		v := be.Uint32(rest)
		rest = rest[4:]
		return v
	}
	at := int(int32(next(trunDataOffset, 0)))
	firstFlags := next(trunFirstFlags, d.flags)
	if at < mdat {
		return nil, fmt.Errorf("%w: sample outside of mdat", ErrBroken)
	}
	samples := make([]Sample, 0, count)
	for i := range count {
		s := Sample{Duration: next(trunDuration, d.duration)}
		n := int(next(trunSize, d.size))
		flags := d.flags
		if i == 0 {
			flags = firstFlags
		}
		flags = next(trunFlags, flags)
		s.Offset = int32(next(trunOffset, 0))
		s.Key = flags&0x10000 == 0
		if at > len(whole) || n > len(whole)-at {
			return nil, fmt.Errorf("%w: sample outside of mdat", ErrBroken)
		}
		s.Payload = whole[at : at+n]
		at += n
		samples = append(samples, s)
	}
	return samples, nil
}

// each calls f with each box of b.
func each(b []byte, f func(name string, body []byte) error) error {
	for len(b) > 0 {
		if len(b) < 8 {
			return fmt.Errorf("%w: %d bytes behind the last box", ErrBroken, len(b))
		}
		n := int(be.Uint32(b))
		if n < 8 || n > len(b) {
			return fmt.Errorf("%w: box of %d bytes in %d", ErrBroken, n, len(b))
		}
		if err := f(string(b[4:8]), b[8:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// find returns the content of the first box of that name.
func find(b []byte, name string) ([]byte, error) {
	var found []byte
	err := each(b, func(n string, body []byte) error {
		if n == name && found == nil {
			found = body
		}
		return nil
	})
	if err == nil && found == nil {
		err = fmt.Errorf("%w: no %s", ErrBroken, name)
	}
	return found, err
}
