package libav

// stripADTS removes the header of one ADTS frame (ISO/IEC 13818-7, 6.2) and
// makes the AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1) that it stands for.
func (s *bitstream) stripADTS(b []byte) []byte {
	if len(b) < 7 || b[0] != 0xff || b[1]&0xf6 != 0xf0 {
		return append([]byte(nil), b...)
	}
	header := 7
	if b[1]&1 == 0 {
		header = 9 // with a checksum
	}
	if len(b) <= header {
		return nil
	}
	object := b[2]>>6 + 1
	frequency := b[2] >> 2 & 15
	channels := b[2]&1<<2 | b[3]>>6
	s.revise([]byte{object<<3 | frequency>>1, frequency<<7 | channels<<3})
	return append([]byte(nil), b[header:]...)
}
