package mpegts

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"

	"github.com/millrace/millrace/ingest/codec"
)

// adts is AAC with the headers of ISO/IEC 13818-7 §6.2.
type adts struct {
	config [2]byte // what the track says, as the header does: see frames
}

var errSync = errors.New("no frame where one should begin")

// adtsRates are the rates by their index in the header.
var adtsRates = [...]int{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350}

func (*adts) size(b []byte) (int, error) {
	if len(b) < 7 {
		if len(b) >= 2 && (b[0] != 0xff || b[1]&0xf6 != 0xf0) {
			return 0, errSync
		}
		return 0, errShort
	}
	n := int(binary.BigEndian.Uint32(b[2:])>>5) & 0x1fff // 13 bits from the 31st on
	if b[0] != 0xff || b[1]&0xf6 != 0xf0 || n < adtsHeader(b) || int(b[2]>>2&0xf) >= len(adtsRates) {
		return 0, errSync
	}
	return n, nil
}

// adtsHeader is the size of the header, with its CRC if it has one.
func adtsHeader(b []byte) int {
	if b[1]&1 == 0 {
		return 9
	}
	return 7
}

func (a *adts) frames(b []byte, t *track) ([][]byte, int64, error) {
	if b[6]&3 != 0 {
		return nil, 0, errors.New("several raw data blocks in an ADTS frame")
	}
	// profile, rate and channels
	if config := [2]byte{b[2] &^ 2, b[3] & 0xc0}; t.track.ClockRate == 0 || config != a.config {
		channels := int(b[2]&1)<<2 | int(b[3]>>6)
		switch channels {
		case 0:
			return nil, 0, errors.New("ADTS without a channel configuration")
		case 7:
			channels = 8
		}
		next, err := codec.AAC(&mpeg4audio.AudioSpecificConfig{
			Type: mpeg4audio.ObjectType(b[2]>>6 + 1), SampleRate: adtsRates[b[2]>>2&0xf], ChannelCount: channels,
		})
		if err != nil {
			return nil, 0, err
		}
		a.config = config
		t.revise(next)
	}
	payload := b[adtsHeader(b):]
	if len(payload) == 0 {
		return nil, 0, nil
	}
	return [][]byte{payload}, mpeg4audio.SamplesPerAccessUnit, nil
}

// latm is AAC in the AudioSyncStream of ISO/IEC 14496-3 §1.7.2, whose
// configuration comes in band.
type latm struct {
	mux    *mpeg4audio.StreamMuxConfig
	config []byte
}

const latmHeader = 3

func (*latm) size(b []byte) (int, error) {
	if len(b) < latmHeader {
		return 0, errShort
	}
	head := int(b[0])<<16 | int(b[1])<<8 | int(b[2])
	if head>>13 != 0x2b7 {
		return 0, errSync
	}
	return latmHeader + head&0x1fff, nil
}

func (l *latm) frames(b []byte, t *track) ([][]byte, int64, error) {
	e := mpeg4audio.AudioMuxElement{MuxConfigPresent: true, StreamMuxConfig: l.mux}
	b = b[latmHeader:]
	if l.mux == nil && len(b) > 0 && b[0]&0x80 != 0 {
		return nil, 0, nil // it refers to a configuration that came before us
	}
	if err := e.Unmarshal(b); err != nil {
		return nil, 0, fmt.Errorf("LATM: %w", err)
	}
	l.mux = e.StreamMuxConfig
	if len(l.mux.Programs) != 1 || len(l.mux.Programs[0].Layers) != 1 {
		return nil, 0, errors.New("LATM: several programs or layers")
	}
	config := l.mux.Programs[0].Layers[0].AudioSpecificConfig
	if config == nil {
		return nil, 0, errors.New("LATM: no configuration")
	}
	next, err := codec.AAC(config)
	if err != nil {
		return nil, 0, err
	}
	if string(next.Config) != string(l.config) {
		l.config = next.Config
		t.revise(next)
	}
	var list [][]byte
	for _, subframe := range e.Payloads {
		if payload := subframe[0][0]; len(payload) > 0 {
			list = append(list, payload)
		}
	}
	return list, codec.AACFrame(config), nil
}
