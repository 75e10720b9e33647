package mpegts

import (
	"encoding/binary"
	"errors"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/ac3"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg1audio"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/opus"

	"github.com/millrace/millrace/ingest/codec"
	"github.com/millrace/millrace/internal/media"
)

// mpegAudio is MPEG-1 and MPEG-2 audio, layers II and III.
type mpegAudio struct{}

func (mpegAudio) size(b []byte) (int, error) {
	if len(b) < 5 {
		return 0, errShort
	}
	var h mpeg1audio.FrameHeader
	if h.Unmarshal(b) != nil {
		return 0, errSync
	}
	// A slot is a byte; FrameLen takes all frames for ones of 1152 samples.
	n := h.SampleCount() / 8 * h.Bitrate / h.SampleRate
	if h.Padding {
		n++
	}
	return n, nil
}

func (mpegAudio) frames(b []byte, t *track) ([][]byte, int64, error) {
	var h mpeg1audio.FrameHeader
	if h.Unmarshal(b) != nil {
		return nil, 0, errSync
	}
	channels := 2
	if h.ChannelMode == mpeg1audio.ChannelModeMono {
		channels = 1
	}
	t.reviseSound(media.MPEGAudio, h.SampleRate, channels, h.Bitrate)
	return [][]byte{b}, int64(h.SampleCount()), nil
}

// dolby is AC-3 and E-AC-3 (ETSI TS 102 366). Substreams of E-AC-3 that depend
// on one before them belong to its frame.
type dolby struct{}

var (
	dolbyRates    = [...]int{48000, 44100, 32000}
	dolbyChannels = [...]int{2, 1, 2, 3, 3, 4, 4, 5} // by acmod
	dolbyBlocks   = [...]int{1, 2, 3, 6}             // by numblkscod
)

const dolbyBlock = 256 // samples in a block

// enhanced reports whether a frame is of E-AC-3, by its bsid.
func enhanced(b []byte) bool { return b[5]>>3 > 10 }

// dependent reports whether a frame of E-AC-3 is a dependent substream.
func dependent(b []byte) bool { return b[2]>>6 == 1 }

// dolbyHead is as much of a frame as is looked at here, in bytes.
const dolbyHead = 8

func (dolby) size(b []byte) (int, error) {
	switch {
	case len(b) >= 2 && (b[0] != 0x0b || b[1] != 0x77):
		return 0, errSync
	case len(b) < dolbyHead:
		return 0, errShort
	case enhanced(b):
		n := enhancedSize(b)
		for len(b) >= n+dolbyHead && b[n] == 0x0b && b[n+1] == 0x77 && enhanced(b[n:]) && dependent(b[n:]) {
			n += enhancedSize(b[n:])
		}
		return n, nil
	}
	var h ac3.SyncInfo
	if h.Unmarshal(b) != nil {
		return 0, errSync
	}
	return h.FrameSize(), nil
}

// enhancedSize is the size of a frame of E-AC-3, by its frmsiz.
func enhancedSize(b []byte) int { return 2 * (int(binary.BigEndian.Uint16(b[2:])&0x7ff) + 1) }

func (dolby) frames(b []byte, t *track) ([][]byte, int64, error) {
	if len(b) < dolbyHead {
		return nil, 0, errShort
	}
	if !enhanced(b) {
		var h ac3.SyncInfo
		var bsi ac3.BSI
		if err := h.Unmarshal(b); err != nil {
			return nil, 0, err
		}
		if bsi.Unmarshal(b[5:]) != nil {
			return nil, 0, errors.New("an AC-3 frame of a version that is not known")
		}
		t.reviseSound(media.AC3, h.SampleRate(), bsi.ChannelCount(), 0)
		return [][]byte{b}, ac3.SamplesPerFrame, nil
	}
	if dependent(b) {
		return nil, 0, nil // of a frame that came before ours
	}
	blocks, rate := 6, 0
	switch fscod := b[4] >> 6; {
	case fscod < 3:
		rate, blocks = dolbyRates[fscod], dolbyBlocks[b[4]>>4&3]
	case b[4]>>4&3 < 3:
		rate = dolbyRates[b[4]>>4&3] / 2
	default:
		return nil, 0, errSync
	}
	channels := dolbyChannels[b[4]>>1&7] + int(b[4]&1)
	t.reviseSound(media.EAC3, rate, channels, 0)
	return [][]byte{b}, int64(blocks * dolbyBlock), nil
}

// opusFrames is Opus with the control headers of its mapping to MPEG-TS
// (ETSI TS Opus 0.1.3 draft, which FFmpeg and GStreamer write).
type opusFrames struct{}

func (opusFrames) size(b []byte) (int, error) {
	head, payload, err := opusHeader(b)
	return head + payload, err
}

// opusHeader returns the sizes of a control header and of what follows it.
func opusHeader(b []byte) (head, payload int, err error) {
	if len(b) < 3 {
		return 0, 0, errShort
	}
	if b[0] != 0x7f || b[1]&0xe0 != 0xe0 {
		return 0, 0, errSync
	}
	head = 2
	for {
		if head >= len(b) {
			return 0, 0, errShort
		}
		n := int(b[head])
		payload += n
		if head++; n != 255 {
			break
		}
	}
	for _, trim := range []byte{0x10, 0x08} {
		if b[1]&trim != 0 {
			head += 2
		}
	}
	if b[1]&0x04 != 0 { // extension
		if head >= len(b) {
			return 0, 0, errShort
		}
		head += 1 + int(b[head])
	}
	if payload == 0 {
		return 0, 0, errSync
	}
	return head, payload, nil
}

func (opusFrames) frames(b []byte, _ *track) ([][]byte, int64, error) {
	head, _, err := opusHeader(b)
	if err != nil {
		return nil, 0, err
	}
	samples := opus.PacketDuration2(b[head:])
	if samples <= 0 {
		return nil, 0, errSync
	}
	return [][]byte{b[head:]}, samples, nil
}

// opusTrack is the track for a channel_config_code.
func opusTrack(code int) (*media.Track, error) {
	if code == 0 {
		code = 2 // dual mono
	}
	return codec.Opus(code)
}
