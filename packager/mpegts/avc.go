package mpegts

import "iter"

var (
	startCode = []byte{0, 0, 0, 1}
	// delimiter is an access unit delimiter for any kind of picture (ITU-T
	// H.264 §7.3.2.4).
	delimiter = []byte{0, 0, 0, 1, 9, 0xf0}
)

// units are the NAL units of an access unit as fMP4 stores it, up to where it
// is broken. Delimiters are left out: the writer puts its own.
func units(payload []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(payload) >= 4 {
			n := int(be.Uint32(payload))
			payload = payload[4:]
			if n > len(payload) {
				return
			}
			if n > 0 && payload[0]&0x1f != 9 && !yield(payload[:n]) {
				return
			}
			payload = payload[n:]
		}
	}
}

// readSets makes Annex B of the parameter sets in an avcC (ISO/IEC 14496-15
// §5.3.3.1).
func readSets(c []byte) ([]byte, error) {
	if len(c) < 7 || c[0] != 1 {
		return nil, ErrConfig
	}
	var out []byte
	take := func(count int) bool {
		for range count {
			if len(c) < 2 {
				return false
			}
			n := int(be.Uint16(c))
			if n == 0 || len(c) < 2+n {
				return false
			}
			out = append(append(out, startCode...), c[2:2+n]...)
			c = c[2+n:]
		}
		return true
	}
	sequence := int(c[5] & 0x1f)
	c = c[6:]
	if sequence == 0 || !take(sequence) || len(c) == 0 {
		return nil, ErrConfig
	}
	picture := int(c[0])
	c = c[1:]
	if picture == 0 || !take(picture) {
		return nil, ErrConfig
	}
	return out, nil
}
