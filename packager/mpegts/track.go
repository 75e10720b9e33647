package mpegts

import (
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/ac3"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg1audio"

	"github.com/millrace/millrace/internal/media"
)

// Track describes a stream by what stands in its media: parameter sets, ADTS
// and other frame headers. Its clock is that of MPEG-TS, 90 kHz. It fails with
// ErrCodec where nothing here knows the coding, and with ErrConfig.
func (s *Stream) Track() (*media.Track, error) {
	t := &media.Track{ID: int(s.PID), Kind: media.Audio, ClockRate: clockRate}
	if len(s.Units) == 0 {
		return nil, fmt.Errorf("%w: PID %d has no media", ErrConfig, s.PID)
	}
	first := s.Units[0].Data
	var err error
	switch s.Type {
	case TypeH264:
		err = s.describeAVC(t)
	case TypeAAC:
		err = describeADTS(t, first)
	case TypeAC3:
		var sync ac3.SyncInfo
		var bsi ac3.BSI
		if err = sync.Unmarshal(first); err == nil && len(first) >= 8 {
			err = bsi.Unmarshal(first[5:])
		}
		t.Codec, t.SampleRate, t.Channels = media.AC3, sync.SampleRate(), bsi.ChannelCount()
	case TypeMPEG1Audio, TypeMPEG2Audio:
		var h mpeg1audio.FrameHeader
		err = h.Unmarshal(first)
		t.Codec, t.SampleRate, t.Channels = media.MPEGAudio, h.SampleRate, 2
		if h.ChannelMode == mpeg1audio.ChannelModeMono {
			t.Channels = 1
		}
	default:
		return nil, fmt.Errorf("stream type %#x: %w", s.Type, ErrCodec)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: PID %d: %w", ErrConfig, s.PID, err)
	}
	return t, nil
}

// aspects are those of samples by aspect_ratio_idc (ITU-T H.264 table E-1).
var aspects = [][2]int{
	{0, 0},
	{1, 1},
	{12, 11},
	{10, 11},
	{16, 11},
	{40, 33},
	{24, 11},
	{20, 11},
	{32, 11},
	{80, 33},
	{18, 11},
	{15, 11},
	{64, 33},
	{160, 99},
	{4, 3},
	{3, 2},
	{2, 1},
}

// describeAVC finds the first parameter sets and makes an avcC of them.
func (s *Stream) describeAVC(t *media.Track) error {
	var sps, pps []byte
	for _, u := range s.Units {
		for unit := range annexB(u.Data) {
			switch h264.NALUType(unit[0] & 0x1f) {
			case h264.NALUTypeSPS:
				sps = unit
			case h264.NALUTypePPS:
				pps = unit
			}
		}
		if sps != nil && pps != nil {
			break
		}
	}
	if len(sps) < 4 || len(sps) > 0xffff || pps == nil || len(pps) > 0xffff {
		return ErrConfig
	}
	var parsed h264.SPS
	if err := parsed.Unmarshal(sps); err != nil {
		return err
	}
	c := append([]byte{1, sps[1], sps[2], sps[3], 0xff, 0xe1, byte(len(sps) >> 8), byte(len(sps))}, sps...)
	c = append(append(c, 1, byte(len(pps)>>8), byte(len(pps))), pps...)
	switch parsed.ProfileIdc { // ISO/IEC 14496-15 §5.3.3.1.2
	case 100, 110, 122, 144:
		c = append(c, 0xfc|byte(parsed.ChromaFormatIdc), 0xf8|byte(parsed.BitDepthLumaMinus8), 0xf8|byte(parsed.BitDepthChromaMinus8), 0)
	}
	t.Kind, t.Codec, t.Config = media.Video, media.H264, c
	t.Width, t.Height = parsed.Width(), parsed.Height()
	if v := parsed.VUI; v != nil && v.AspectRatioInfoPresentFlag {
		if int(v.AspectRatioIdc) < len(aspects) {
			t.SampleAspect = media.Rational{Num: aspects[v.AspectRatioIdc][0], Den: aspects[v.AspectRatioIdc][1]}
		} else if v.AspectRatioIdc == 255 {
			t.SampleAspect = media.Rational{Num: int(v.SarWidth), Den: int(v.SarHeight)}
		}
	}
	return nil
}

func describeADTS(t *media.Track, b []byte) error {
	size, _, rate, _, err := frameADTS(b)
	if err != nil {
		return err
	}
	if size == 0 {
		return ErrConfig
	}
	object, index, channels := b[2]>>6+1, b[2]>>2&15, b[2]&1<<2|b[3]>>6
	if channels == 0 {
		return fmt.Errorf("%w: a channel layout of its own", ErrConfig)
	}
	t.Codec, t.SampleRate, t.Channels = media.AAC, int(rate), int(channels)
	if channels == 7 {
		t.Channels = 8
	}
	t.Config = []byte{object<<3 | index>>1, index<<7 | channels<<3}
	return nil
}
