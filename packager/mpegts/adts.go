package mpegts

import "fmt"

// maxADTS is what aac_frame_length can tell.
const maxADTS = 1<<13 - 1

// adts is what the headers of a track's frames have in common (ISO/IEC 14496-3
// §1.A.2). The zero value is that of a track without such headers.
type adts struct {
	on       bool
	profile  byte // audio object type less 1
	rate     byte // sampling_frequency_index
	channels byte // channel_configuration
}

func (a *adts) size() int {
	if !a.on {
		return 0
	}
	return 7
}

// append writes the header of a frame of n bytes.
func (a *adts) append(b []byte, n int) []byte {
	n += 7
	return append(b, 0xff, 0xf1, // MPEG-4, no CRC
		a.profile<<6|a.rate<<2|a.channels>>2,
		a.channels<<6|byte(n>>11), byte(n>>3), byte(n<<5)|0x1f, 0xfc) // buffer fullness: variable
}

// readADTS reads an AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1). HE-AAC
// goes as its core, in which decoders find the rest.
func readADTS(c []byte) (adts, error) {
	at := 0
	bits := func(n int) (v int) {
		for range n {
			v <<= 1
			if at/8 < len(c) {
				v |= int(c[at/8]>>(7-at%8)) & 1
			}
			at++
		}
		return v
	}
	object, rate := bits(5), bits(4)
	if rate == 15 {
		return adts{}, fmt.Errorf("%w: a sampling frequency that ADTS cannot tell", ErrConfig)
	}
	channels := bits(4)
	if object == 5 || object == 29 { // SBR, PS: their core's type follows
		if bits(4) == 15 {
			bits(24)
		}
		object = bits(5)
	}
	if at > len(c)*8 || object < 1 || object > 4 || rate > 12 || channels < 1 || channels > 7 {
		return adts{}, fmt.Errorf("%w: ADTS cannot tell object type %d, %d channels, frequency index %d", ErrConfig, object, channels, rate)
	}
	return adts{on: true, profile: byte(object - 1), rate: byte(rate), channels: byte(channels)}, nil
}
