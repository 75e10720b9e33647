package mpegts

// The PIDs of our streams. Nothing depends on their values.
const (
	pidPAT   = 0
	pidPMT   = 0x1000
	pidMedia = 0x100
	pidID3   = 0x102
)

const programNumber = 1

// The stream types that HLS knows (ISO/IEC 13818-1 table 2-34, ATSC A/53 part
// 3, Apple's Timed Metadata for HTTP Live Streaming).
const (
	TypeMPEG1Audio = 0x03
	TypeMPEG2Audio = 0x04
	TypeAAC        = 0x0f // ADTS
	TypeID3        = 0x15 // metadata in PES packets
	TypeH264       = 0x1b
	TypeH265       = 0x24
	TypeAC3        = 0x81
	TypeEAC3       = 0x87
)

// appendTable writes a section, which fits one packet, as a packet.
func appendTable(b []byte, to *elementary, section []byte) []byte {
	to.counter = (to.counter + 1) & 0x0f
	b = appendHeader(b, to, true, true, 0, nil)
	b = append(b, 0) // pointer_field
	b = append(b, section...)
	for n := packetRoom - 1 - len(section); n > 0; n-- {
		b = append(b, 0xff)
	}
	return b
}

// section closes a program table: its length and its CRC.
func section(id byte, number uint16, version uint8, body []byte) []byte {
	length := 5 + len(body) + 4
	s := []byte{id, 0xb0 | byte(length>>8), byte(length), byte(number >> 8), byte(number), 0xc1 | version<<1, 0, 0}
	s = append(s, body...)
	return be.AppendUint32(s, checksum(s))
}

func patSection() []byte {
	return section(0, 1, 0, []byte{programNumber >> 8, programNumber, 0xe0 | pidPMT>>8, pidPMT & 0xff})
}

// id3Format is what both metadata descriptors say of ID3 (Apple, Timed
// Metadata for HTTP Live Streaming §2): formats that are told by identifiers,
// service 0.
const id3Format = "\xff\xffID3 \xffID3 \x00"

// pmtSection lists the track's stream and, if it is there, that of ID3.
func pmtSection(version, streamType uint8, id3 bool) []byte {
	var program, media []byte
	if id3 { // metadata_pointer_descriptor: this program
		program = descriptor(0x25, id3Format+"\x1f\x00\x01")
	}
	switch streamType {
	case TypeAC3:
		media = descriptor(0x05, "AC-3") // registration_descriptor
	case TypeEAC3:
		media = descriptor(0x05, "EAC3")
	}
	body := append([]byte{0xe0 | pidMedia>>8, pidMedia & 0xff, 0xf0, byte(len(program))}, program...)
	stream := func(streamType byte, pid uint16, descriptors []byte) {
		body = append(body, streamType, 0xe0|byte(pid>>8), byte(pid), 0xf0, byte(len(descriptors)))
		body = append(body, descriptors...)
	}
	stream(streamType, pidMedia, media)
	if id3 { // metadata_descriptor, without decoder configuration
		stream(TypeID3, pidID3, descriptor(0x26, id3Format+"\x0f"))
	}
	return section(2, programNumber, version, body)
}

func descriptor(tag byte, content string) []byte {
	return append([]byte{tag, byte(len(content))}, content...)
}

var checksums = func() (t [256]uint32) {
	for i := range t {
		c := uint32(i) << 24
		for range 8 {
			if c&0x80000000 != 0 {
				c = c<<1 ^ 0x04c11db7
			} else {
				c <<= 1
			}
		}
		t[i] = c
	}
	return t
}()

// checksum is the CRC of ISO/IEC 13818-1 Annex A; over a whole section it is 0.
func checksum(b []byte) uint32 {
	c := uint32(0xffffffff)
	for _, v := range b {
		c = c<<8 ^ checksums[byte(c>>24)^v]
	}
	return c
}
