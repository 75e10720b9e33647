package packager

import (
	"bytes"
	"encoding/binary"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/playlist"
)

// captionGroup is the group of closed captions in the multivariant playlist.
const captionGroup = "cc"

// atscCaptions begins the payload of a SEI message user_data_registered_itu_t_t35
// with captions of CEA-608 and CEA-708: country, provider, ATSC's identifier, and
// the type of its data (ATSC A/53 Part 4 §6.2.3).
var atscCaptions = []byte{0xb5, 0x00, 0x31, 'G', 'A', '9', '4', 0x03}

// seiRegistered is the type of that message (H.264 §D.1.6, H.265 §D.2.6).
const seiRegistered = 4

// captioned reports whether an access unit carries closed captions.
func captioned(codec media.Codec, payload []byte) bool {
	for len(payload) > 4 {
		size := binary.BigEndian.Uint32(payload)
		payload = payload[4:]
		if uint64(size) > uint64(len(payload)) {
			return false
		}
		nal := payload[:size]
		payload = payload[size:]
		switch {
		case len(nal) < 2:
		case codec == media.H264 && nal[0]&0x1f == 6:
			if captionSEI(nal[1:]) {
				return true
			}
		case codec == media.H265 && nal[0]>>1&0x3f == 39:
			if captionSEI(nal[2:]) {
				return true
			}
		}
	}
	return false
}

// captionSEI looks through the messages of a SEI NAL unit. Emulation prevention
// may move their ends, but nothing before the first zeros of a message, which
// is enough to know it.
func captionSEI(b []byte) bool {
	for len(b) > 2 && b[0] != 0x80 {
		kind, size := 0, 0
		for _, n := range []*int{&kind, &size} {
			for len(b) > 0 && b[0] == 0xff {
				*n += 0xff
				b = b[1:]
			}
			if len(b) == 0 {
				return false
			}
			*n += int(b[0])
			b = b[1:]
		}
		if kind == seiRegistered && bytes.HasPrefix(b, atscCaptions) {
			return true
		}
		b = b[min(size, len(b)):]
	}
	return false
}

// lookForCaptions notices captions in what is written. The caller holds r.mu.
func (r *rendition) lookForCaptions(pk *media.Packet) {
	if r.kind == media.Video && !r.p.captions.Load() && captioned(pk.Track.Codec, pk.Payload) {
		r.p.captions.Store(true)
	}
}

// caption says of every variant whether there are closed captions in it: coders
// carry those of the source. Players that are told nothing have to look into
// the media, and offer a menu for what may not be there.
func (p *Presentation) caption(m *playlist.Multivariant) {
	value := "NONE"
	if p.captions.Load() {
		value = captionGroup
		m.Renditions = append(m.Renditions, playlist.Rendition{
			Type: "CLOSED-CAPTIONS", GroupID: captionGroup, Name: "CC1", InstreamID: "CC1", Autoselect: true,
		})
	}
	for i := range m.Variants {
		m.Variants[i].ClosedCaptions = value
	}
}
