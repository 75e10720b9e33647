package fmp4

import (
	"fmt"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"

	"github.com/millrace/millrace/internal/media"
)

// sampleEntry writes the box that stsd holds for a track.
func sampleEntry(t *media.Track, rates Bitrates) ([]byte, error) {
	w := &writer{}
	if err := checkConfig(t); err != nil {
		return nil, err
	}
	config := func(name string) func() {
		return func() { w.box(name, func() { w.bytes(t.Config) }) }
	}
	switch t.Codec {
	case media.H264:
		w.visual("avc1", t, rates, config("avcC"))
	case media.H265:
		// hvc1: the parameter sets are here and nowhere else, which is what
		// Apple's players ask for.
		w.visual("hvc1", t, rates, config("hvcC"))
	case media.AV1:
		w.visual("av01", t, rates, config("av1C"))
	case media.VP9:
		w.visual("vp09", t, rates, config("vpcC"))
	case media.AAC:
		w.audio("mp4a", t, rates, func() { w.esds(0x40, t.Config, rates) })
	case media.MPEGAudio:
		w.audio("mp4a", t, rates, func() { w.esds(mpegAudioType(t), nil, rates) })
	case media.Opus:
		w.audio("Opus", t, rates, func() { w.box("dOps", func() { w.bytes(opusConfig(t)) }) })
	case media.AC3:
		w.audio("ac-3", t, rates, config("dac3"))
	case media.EAC3:
		w.audio("ec-3", t, rates, config("dec3"))
	case media.FLAC:
		w.audio("fLaC", t, rates, config("dfLa"))
	default:
		return nil, fmt.Errorf("%s has no place in fMP4", t.Codec)
	}
	return w.b, nil
}

// visual writes a VisualSampleEntry (ISO/IEC 14496-12 §12.1.3).
func (w *writer) visual(name string, t *media.Track, rates Bitrates, config func()) {
	w.box(name, func() {
		w.zero(6)
		w.u16(1) // data reference
		w.zero(16)
		w.u16(uint16(t.Width))
		w.u16(uint16(t.Height))
		w.u32(0x480000) // 72 dpi
		w.u32(0x480000)
		w.u32(0)
		w.u16(1)   // frames a sample
		w.zero(32) // compressor name
		w.u16(24)  // depth
		w.u16(0xffff)
		config()
		w.colour(t)
		if sar := t.SampleAspect; sar.Known() && sar.Num != sar.Den {
			w.box("pasp", func() {
				w.u32(uint32(sar.Num))
				w.u32(uint32(sar.Den))
			})
		}
		w.bitrate(rates)
	})
}

// audio writes an AudioSampleEntry (ISO/IEC 14496-12 §12.2.3).
func (w *writer) audio(name string, t *media.Track, rates Bitrates, config func()) {
	w.box(name, func() {
		w.zero(6)
		w.u16(1)
		w.zero(8)
		w.u16(uint16(t.Channels))
		w.u16(16)
		w.u32(0)
		if t.SampleRate <= 0xffff {
			w.u32(uint32(t.SampleRate) << 16)
		} else {
			w.u32(0) // does not fit 16.16; the configuration tells
		}
		config()
		w.bitrate(rates)
	})
}

func (w *writer) bitrate(rates Bitrates) {
	if rates.Max <= 0 && rates.Average <= 0 {
		return
	}
	w.box("btrt", func() {
		w.u32(0)
		w.u32(uint32(max(rates.Max, rates.Average)))
		w.u32(uint32(max(rates.Average, 0)))
	})
}

// esds writes the MPEG-4 descriptors (ISO/IEC 14496-1 §7.2.6, -14 §3.1).
func (w *writer) esds(objectType uint8, config []byte, rates Bitrates) {
	decoder := 13
	if len(config) > 0 {
		decoder += 5 + len(config)
	}
	w.full("esds", 0, func() {
		w.descriptor(3, 3+5+decoder+5+1)
		w.u16(0) // ES_ID: that of the track
		w.u8(0)
		w.descriptor(4, decoder)
		w.u8(objectType, 0x15) // audio stream
		w.zero(3)              // buffer size
		w.u32(uint32(max(rates.Max, 0)))
		w.u32(uint32(max(rates.Average, 0)))
		if len(config) > 0 {
			w.descriptor(5, len(config))
			w.bytes(config)
		}
		w.descriptor(6, 1)
		w.u8(2)
	})
}

// descriptor writes a tag and its length in four bytes, as everybody does.
func (w *writer) descriptor(tag uint8, n int) {
	w.u8(tag, byte(n>>21)|0x80, byte(n>>14)|0x80, byte(n>>7)|0x80, byte(n)&0x7f)
}

// mpegAudioType tells MPEG-1 from MPEG-2 (the low sampling frequencies).
func mpegAudioType(t *media.Track) uint8 {
	if t.SampleRate < 32000 {
		return 0x69
	}
	return 0x6b
}

// opusConfig is dOps, made from the track where it carries none.
func opusConfig(t *media.Track) []byte {
	if len(t.Config) > 0 {
		return t.Config
	}
	w := &writer{}
	w.u8(0, byte(t.Channels))
	w.u16(312) // pre-skip: 6.5 ms, what libopus needs
	w.u32(48000)
	w.u16(0)
	w.u8(0) // mapping family: mono or stereo
	return w.b
}

// colour writes colr where the parameter sets describe the colours.
func (w *writer) colour(t *media.Track) {
	var primaries, transfer, matrix uint8
	var full bool
	switch t.Codec {
	case media.H264:
		var sps h264.SPS
		nalu := firstNALU(t.Config, h264.NALUTypeSPS)
		if nalu == nil || sps.Unmarshal(nalu) != nil || sps.VUI == nil || !sps.VUI.ColourDescriptionPresentFlag {
			return
		}
		v := sps.VUI
		primaries, transfer, matrix, full = v.ColourPrimaries, v.TransferCharacteristics, v.MatrixCoefficients, v.VideoFullRangeFlag
	case media.H265:
		var sps h265.SPS
		nalu := firstHEVC(t.Config, h265.NALUType_SPS_NUT)
		if nalu == nil || sps.Unmarshal(nalu) != nil || sps.VUI == nil || !sps.VUI.ColourDescriptionPresentFlag {
			return
		}
		v := sps.VUI
		primaries, transfer, matrix, full = v.ColourPrimaries, v.TransferCharacteristics, v.MatrixCoefficients, v.VideoFullRangeFlag
	case media.VP9:
		primaries, transfer, matrix, full = t.Config[7], t.Config[8], t.Config[9], t.Config[6]&1 == 1
	default:
		return
	}
	w.box("colr", func() {
		w.str("nclx")
		w.u16(uint16(primaries))
		w.u16(uint16(transfer))
		w.u16(uint16(matrix))
		if full {
			w.u8(0x80)
		} else {
			w.u8(0)
		}
	})
}
