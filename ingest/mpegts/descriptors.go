package mpegts

import (
	"bytes"
	"fmt"

	"github.com/millrace/millrace/internal/media"
)

// descriptors are those of a program or a stream, as they stand in its map.
type descriptors []byte

// find returns the content of the first descriptor with a tag; nil: none.
func (d descriptors) find(tag byte) []byte {
	for len(d) >= 2 {
		n := 2 + int(d[1])
		if n > len(d) {
			return nil
		}
		if d[0] == tag {
			return d[2:n:n]
		}
		d = d[n:]
	}
	return nil
}

// Tags of descriptors: ISO/IEC 13818-1 table 2-45, ETSI EN 300 468 table 12.
const (
	tagRegistration = 0x05
	tagLanguage     = 0x0a
	tagMetadata     = 0x26
	tagTeletext     = 0x56
	tagSubtitling   = 0x59
	tagAC3          = 0x6a
	tagEAC3         = 0x7a
	tagDTS          = 0x7b
	tagExtension    = 0x7f
	extensionOpus   = 0x80
)

// registration is the format_identifier that says whose private format it is.
func (d descriptors) registration() string {
	if b := d.find(tagRegistration); len(b) >= 4 {
		return string(b[:4])
	}
	return ""
}

// language is the first language of ISO_639_language_descriptor as BCP 47;
// empty where there is none, or none that is one.
func (d descriptors) language() string {
	b := d.find(tagLanguage)
	if len(b) < 3 {
		return ""
	}
	return media.LanguageTag(string(b[:3]))
}

// content is what a stream of a program carries.
type content struct {
	kind     media.Kind  // of a track; 0: none
	codec    media.Codec // of a track that can be taken; empty: none
	name     string      // of what cannot
	latm     bool
	channels int // Opus
	splices  bool
	id3      bool
}

// content tells what a stream carries; program are the descriptors of its
// program. ISO/IEC 13818-1 table 2-34 has the types, ATSC A/53, ETSI TS 101 154
// and SCTE 35 those above 0x80 and the private ones.
func (e *elementary) content(program descriptors) content {
	video := func(c media.Codec) content { return content{kind: media.Video, codec: c} }
	sound := func(c media.Codec) content { return content{kind: media.Audio, codec: c} }
	registration := e.descriptors.registration()
	switch e.streamType {
	case 0x1b:
		return video(media.H264)
	case 0x24:
		return video(media.H265)
	case 0x01, 0x02:
		return content{kind: media.Video, name: "mpeg2video"}
	case 0x10:
		return content{kind: media.Video, name: "mpeg4video"}
	case 0x20, 0x21, 0x33, 0xd1, 0xea:
		return content{kind: media.Video, name: fmt.Sprintf("video of type %#02x", e.streamType)}
	case 0x03, 0x04:
		return sound(media.MPEGAudio)
	case 0x0f:
		return sound(media.AAC)
	case 0x11:
		return content{kind: media.Audio, codec: media.AAC, latm: true}
	case 0x81:
		return sound(media.AC3)
	case 0x87:
		return sound(media.EAC3)
	case 0x82, 0x85, 0x8a:
		return content{kind: media.Audio, name: "dts"}
	case 0x15:
		// Its descriptor has the identifier of the metadata's format, and more.
		if bytes.Contains(e.descriptors.find(tagMetadata), []byte("ID3 ")) {
			return content{id3: true, name: "id3"}
		}
		return content{name: "metadata"}
	case 0x86:
		if registration == "HDMV" || program.registration() == "HDMV" {
			return content{kind: media.Audio, name: "dts"}
		}
		return content{splices: true, name: "scte 35"}
	case 0x06:
		return e.private(registration)
	}
	return content{name: fmt.Sprintf("stream of type %#02x", e.streamType)}
}

// private tells what a stream of PES packets with private data carries.
func (e *elementary) private(registration string) content {
	d := e.descriptors
	switch {
	case registration == "Opus":
		c := content{kind: media.Audio, codec: media.Opus, channels: 2}
		if b := d.find(tagExtension); len(b) >= 2 && b[0] == extensionOpus {
			c.channels = int(b[1])
		}
		return c
	case registration == "HEVC":
		return content{kind: media.Video, codec: media.H265}
	case registration == "AC-3" || d.find(tagAC3) != nil:
		return content{kind: media.Audio, codec: media.AC3}
	case registration == "EAC3" || d.find(tagEAC3) != nil:
		return content{kind: media.Audio, codec: media.EAC3}
	case registration == "AV01":
		return content{kind: media.Video, name: "av1"}
	case registration == "BSSD":
		return content{kind: media.Audio, name: "aes3"}
	case registration == "KLVA":
		return content{name: "klv"}
	case d.find(tagDTS) != nil:
		return content{kind: media.Audio, name: "dts"}
	case d.find(tagTeletext) != nil:
		return content{name: "teletext"}
	case d.find(tagSubtitling) != nil:
		return content{name: "dvb subtitles"}
	}
	return content{name: "private data"}
}
