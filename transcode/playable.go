package transcode

import (
	"fmt"

	"github.com/millrace/millrace/internal/media"
)

// decodable are the codecs that a worker can decode. Those that internal/media
// has no name for are named as libavcodec names them; files bring them.
var decodable = map[media.Codec]bool{
	media.H264: true, media.H265: true, media.AV1: true, media.VP9: true,
	media.AAC: true, media.Opus: true, media.MPEGAudio: true, media.AC3: true,
	media.PCMA: true, media.PCMU: true, media.LPCM: true,
	media.Raw: true, // nothing is left to decode

	"mpeg1video": true, "mpeg2video": true, "mpeg4": true, "vp8": true, "mjpeg": true,
	"prores": true, "dnxhd": true, "ffv1": true, "theora": true, "h263": true, "vc1": true,
	"wmv3": true, "flv1": true, "dvvideo": true, "rawvideo": true,

	"eac3": true, "dts": true, "flac": true, "alac": true, "vorbis": true, "truehd": true,
	"wmav2": true, "wmapro": true, "speex": true, "amr_nb": true, "amr_wb": true,
	"adpcm_ms": true, "adpcm_ima_wav": true, "adpcm_g726": true, "adpcm_g722": true, "gsm_ms": true,
	"pcm_s16le": true, "pcm_s24le": true, "pcm_s32le": true, "pcm_u8": true, "pcm_s8": true,
	"pcm_f32le": true, "pcm_f32be": true, "pcm_f64le": true, "pcm_bluray": true, "pcm_dvd": true,
}

// carried are the video codecs that fMP4 in HLS can carry as they are.
var carried = map[media.Codec]bool{media.H264: true, media.H265: true, media.AV1: true, media.VP9: true}

// carries says why the video track t cannot be copied into segments, if so.
func (p *Policy) carries(t *media.Track) error {
	switch {
	case !carried[t.Codec]:
		return fmt.Errorf("%w: HLS cannot carry %s, it has to be encoded", ErrUnsupported, t.Codec)
	case p.TransportStream && t.Codec != media.H264: // Apple 1.5
		return fmt.Errorf("%w: MPEG-TS segments cannot carry %s: it has to be encoded, or the container to be fmp4", ErrUnsupported, t.Codec)
	}
	return nil
}

// untransportable says in words why the AAC track t cannot be copied into
// MPEG-TS, whose ADTS headers know neither all sampling frequencies nor all
// layouts (ISO/IEC 14496-3 §1.A.3); empty where it can.
func untransportable(t *media.Track) string {
	if frequency := t.Config[0]&7<<1 | t.Config[1]>>7; frequency > 12 {
		return "MPEG-TS cannot tell the source's sampling frequency"
	}
	if channels := t.Config[1] >> 3 & 15; channels < 1 || channels > 7 {
		return "MPEG-TS cannot tell the source's channel layout"
	}
	return ""
}

// maxLevel is the highest H.264 level copied to players: 5.2, 4096x2304 at 60
// frames a second. Beyond it hardware decoders give up.
const maxLevel = 52

// unplayable says in words why the video track t cannot be passed through to
// every browser; empty where it can.
func unplayable(t *media.Track) string {
	if t.Codec != media.H264 {
		return fmt.Sprintf("not every player takes %s", t.Codec)
	}
	switch {
	case t.Interlaced:
		return "the source is interlaced"
	case t.BitDepth > 8:
		return fmt.Sprintf("the source has %d bits a sample", t.BitDepth)
	case t.Chroma != "" && t.Chroma != "4:2:0":
		return "the source's chroma is " + t.Chroma
	case t.Rotation != 0:
		// Beside upright coded rungs a copy that players must turn
		// themselves is not shown alike everywhere.
		return fmt.Sprintf("the source is turned by %d degrees", t.Rotation)
	}
	// avcC: version, profile, compatibility, level (ISO/IEC 14496-15, 5.3.3.1).
	if len(t.Config) < 4 || t.Config[0] != 1 {
		return "the source's parameter sets have not been seen"
	}
	switch profile := t.Config[1]; profile {
	case 66, 77, 100: // Baseline, Main, High
	default:
		return fmt.Sprintf("the source's H.264 profile is %d", profile)
	}
	if level := t.Config[3]; level > maxLevel {
		return fmt.Sprintf("the source's H.264 level is %d.%d", level/10, level%10)
	}
	return ""
}

// unplayableAudio is unplayable for audio.
func unplayableAudio(t *media.Track) string {
	if t.Codec != media.AAC {
		return fmt.Sprintf("not every player takes %s", t.Codec)
	}
	// AudioSpecificConfig: five bits of object type (ISO/IEC 14496-3, 1.6.2.1).
	switch object := t.Config[0] >> 3; object {
	case 2, 5, 29: // LC, HE, HE v2
		return ""
	default:
		return fmt.Sprintf("the source's AAC object type is %d", object)
	}
}
