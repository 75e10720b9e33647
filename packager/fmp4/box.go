package fmp4

import "encoding/binary"

var be = binary.BigEndian

// writer appends boxes to a buffer.
type writer struct{ b []byte }

// box writes a box whose content is what f writes.
func (w *writer) box(name string, f func()) {
	start := len(w.b)
	w.u32(0)
	w.str(name)
	f()
	be.PutUint32(w.b[start:], uint32(len(w.b)-start))
}

// full writes a FullBox of version 0 (ISO/IEC 14496-12 §4.2).
func (w *writer) full(name string, flags uint32, f func()) {
	w.box(name, func() {
		w.u32(flags)
		f()
	})
}

func (w *writer) u8(v ...uint8)  { w.b = append(w.b, v...) }
func (w *writer) u16(v uint16)   { w.b = be.AppendUint16(w.b, v) }
func (w *writer) u32(v uint32)   { w.b = be.AppendUint32(w.b, v) }
func (w *writer) u64(v uint64)   { w.b = be.AppendUint64(w.b, v) }
func (w *writer) str(s string)   { w.b = append(w.b, s...) }
func (w *writer) bytes(b []byte) { w.b = append(w.b, b...) }
func (w *writer) zero(n int)     { w.b = append(w.b, make([]byte, n)...) }

// nothing is the content of an empty box.
func nothing() {}
