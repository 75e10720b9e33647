package fmp4

import (
	"fmt"
	"slices"
)

// SchemeCBCS is the scheme of Common Encryption (ISO/IEC 23001-7 §10.4) that
// METHOD=SAMPLE-AES means in fMP4: AES-CBC, a constant IV, and for video a
// pattern of encrypted and clear blocks.
const SchemeCBCS = "cbcs"

// Protection is what tenc says of a track (ISO/IEC 23001-7 §8.2).
type Protection struct {
	KID, IV [16]byte
	// Crypt and Skip are the pattern in blocks of 16 bytes; both 0 for none.
	Crypt, Skip uint8
}

// Subsample is a piece of a sample: bytes in the clear, then encrypted ones.
type Subsample struct {
	Clear     uint16
	Protected uint32
}

// maxSubsamples is how many of a sample saiz, with its bytes, can tell.
const maxSubsamples = (255 - 2) / 6

// MaxSubsamples is how many pieces a sample may have.
const MaxSubsamples = maxSubsamples

// Encrypted boxes have other names than the coding's own, which frma keeps.
var encrypted = map[string]string{"vide": "encv", "soun": "enca"}

// common is the system ID of the initialization data that W3C specifies for
// all that take key IDs, ClearKey among them.
var common = [16]byte{0x10, 0x77, 0xef, 0xec, 0xc0, 0xb2, 0x4d, 0x02, 0xac, 0xe3, 0x3c, 0x1e, 0x52, 0xe2, 0xfb, 0x4b}

// toEntry is where the sample entries are.
var toEntry = []string{"moov", "trak", "mdia", "minf", "stbl", "stsd"}

// Protect makes the initialization section of an encrypted track out of that
// of the same one in the clear.
func Protect(init []byte, p Protection) ([]byte, error) {
	h, err := ReadInit(init)
	if err != nil {
		return nil, err
	}
	name := encrypted[h.Handler]
	if name == "" || h.Protection != nil {
		return nil, fmt.Errorf("%w: a %s track of %s cannot be encrypted", ErrBroken, h.Handler, h.Entry)
	}
	out, err := edit(init, toEntry, func(stsd []byte) ([]byte, error) {
		w := &writer{b: slices.Clone(stsd[:8])}
		w.box(name, func() {
			w.bytes(stsd[16:]) // without the header of the one entry
			w.sinf(h.Entry, p)
		})
		return w.b, nil
	})
	if err != nil {
		return nil, err
	}
	return edit(out, toEntry[:1], func(moov []byte) ([]byte, error) {
		w := &writer{b: slices.Clone(moov)}
		w.box("pssh", func() {
			w.u32(1 << 24)
			w.bytes(common[:])
			w.u32(1)
			w.bytes(p.KID[:])
			w.u32(0)
		})
		return w.b, nil
	})
}

// sinf writes how a sample entry is protected (ISO/IEC 14496-12 §8.12).
func (w *writer) sinf(entry string, p Protection) {
	w.box("sinf", func() {
		w.box("frma", func() { w.str(entry) })
		w.full("schm", 0, func() {
			w.str(SchemeCBCS)
			w.u32(0x10000)
		})
		w.box("schi", func() {
			w.box("tenc", func() {
				if p.Crypt > 0 {
					w.u32(1 << 24)
					w.u8(0, p.Crypt<<4|p.Skip)
				} else {
					w.u32(0)
					w.u8(0, 0)
				}
				w.u8(1, 0) // protected, without an IV for each sample
				w.bytes(p.KID[:])
				w.u8(uint8(len(p.IV)))
				w.bytes(p.IV[:])
			})
		})
	})
}

// Unprotect undoes Protect.
func Unprotect(init []byte) ([]byte, error) {
	h, err := ReadInit(init)
	if err != nil || h.Protection == nil {
		return init, err
	}
	out, err := edit(init, toEntry, func(stsd []byte) ([]byte, error) {
		w := &writer{b: slices.Clone(stsd[:8])}
		err := each(stsd[8:], func(_ string, body []byte) error {
			fixed := entrySize(h.Handler)
			if len(body) < fixed {
				return fmt.Errorf("%w: short sample entry", ErrBroken)
			}
			w.box(h.Entry, func() {
				w.bytes(body[:fixed])
				for _, b := range h.Boxes {
					if b.Name != "sinf" {
						w.box(b.Name, func() { w.bytes(b.Body) })
					}
				}
			})
			return nil
		})
		return w.b, err
	})
	if err != nil {
		return nil, err
	}
	return edit(out, toEntry[:1], func(moov []byte) ([]byte, error) {
		w := &writer{}
		err := each(moov, func(name string, body []byte) error {
			if name != "pssh" {
				w.box(name, func() { w.bytes(body) })
			}
			return nil
		})
		return w.b, err
	})
}

// edit returns b with another content of the first box that a path leads to.
func edit(b []byte, path []string, change func(body []byte) ([]byte, error)) ([]byte, error) {
	w, done := &writer{}, false
	err := each(b, func(name string, body []byte) (err error) {
		if name == path[0] && !done {
			done = true
			if len(path) > 1 {
				body, err = edit(body, path[1:], change)
			} else {
				body, err = change(body)
			}
		}
		w.box(name, func() { w.bytes(body) })
		return err
	})
	if err == nil && !done {
		err = fmt.Errorf("%w: no %s", ErrBroken, path[0])
	}
	return w.b, err
}

// readSinf reads how an entry is protected.
func (h *Header) readSinf() error {
	sinf := h.Box("sinf")
	frma, err := find(sinf, "frma")
	if err != nil {
		return err
	}
	schm, err := find(sinf, "schm")
	if err != nil {
		return err
	}
	schi, err := find(sinf, "schi")
	if err != nil {
		return err
	}
	tenc, err := find(schi, "tenc")
	if err != nil {
		return err
	}
	if len(frma) < 4 || len(schm) < 8 || len(tenc) < 24 {
		return fmt.Errorf("%w: short box in sinf", ErrBroken)
	}
	h.Entry, h.Scheme = string(frma[:4]), string(schm[4:8])
	p := &Protection{KID: [16]byte(tenc[8:24])}
	if tenc[0] > 0 {
		p.Crypt, p.Skip = tenc[5]>>4, tenc[5]&15
	}
	if tenc[6] == 1 && tenc[7] == 0 && len(tenc) >= 25 {
		// An IV of eight bytes is the beginning of one of sixteen.
		n := int(tenc[24])
		if n > 16 || len(tenc) < 25+n {
			return fmt.Errorf("%w: bad constant IV", ErrBroken)
		}
		copy(p.IV[:], tenc[25:25+n])
	}
	h.Protection = p
	return nil
}

// auxiliary is the size of the boxes that tell of subsamples, 0 where there
// are none.
func auxiliary(subsamples [][]Subsample) (senc, saiz, saio int) {
	if len(subsamples) == 0 {
		return 0, 0, 0
	}
	senc = 16
	for _, s := range subsamples {
		senc += 2 + 6*len(s)
	}
	return senc, 17 + len(subsamples), 20
}

// auxiliary writes them (ISO/IEC 23001-7 §7). at is where in the moof they
// begin.
func (w *writer) auxiliary(subsamples [][]Subsample, at int) {
	senc, saiz, saio := auxiliary(subsamples)
	if senc == 0 {
		return
	}
	w.header(senc, "senc")
	w.u32(2) // with subsamples
	w.u32(uint32(len(subsamples)))
	for _, s := range subsamples {
		w.u16(uint16(len(s)))
		for _, p := range s {
			w.u16(p.Clear)
			w.u32(p.Protected)
		}
	}
	w.header(saiz, "saiz")
	w.u32(0)
	w.u8(0)
	w.u32(uint32(len(subsamples)))
	for _, s := range subsamples {
		w.u8(uint8(2 + 6*len(s)))
	}
	w.header(saio, "saio")
	w.u32(0)
	w.u32(1)
	w.u32(uint32(at + 16)) // to the first sample's entry in senc
}

// readSenc reads the subsamples of as many samples as a fragment has.
func readSenc(traf []byte, samples int) ([][]Subsample, error) {
	senc, err := find(traf, "senc")
	if err != nil {
		return nil, nil //nolint:nilerr // there need not be one
	}
	if len(senc) < 8 || be.Uint32(senc)&2 == 0 {
		return nil, nil
	}
	if n := be.Uint32(senc[4:]); uint64(n) != uint64(samples) {
		return nil, fmt.Errorf("%w: senc tells of %d samples of %d", ErrBroken, n, samples)
	}
	out, rest := make([][]Subsample, samples), senc[8:]
	for i := range out {
		if len(rest) < 2 {
			return nil, fmt.Errorf("%w: short senc", ErrBroken)
		}
		n := int(be.Uint16(rest))
		if rest = rest[2:]; len(rest) < 6*n {
			return nil, fmt.Errorf("%w: short senc", ErrBroken)
		}
		for range n {
			out[i] = append(out[i], Subsample{be.Uint16(rest), be.Uint32(rest[2:])})
			rest = rest[6:]
		}
	}
	return out, nil
}
