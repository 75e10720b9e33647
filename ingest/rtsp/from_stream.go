package rtsp

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/ingest/codec"
	"github.com/millrace/millrace/internal/media"
)

// described is a presentation as an SDP tells it, and the way to send it.
type described struct {
	session *description.Session
	senders map[int]*sender // by track ID
}

// firstPayloadType is the first dynamic one.
const firstPayloadType = 96

// describe makes the description of tracks. Those that RTP cannot carry are
// left out; when none is left the error wraps ingest.ErrNotFound.
func describe(title string, list []*media.Track) (*described, error) {
	d := &described{session: &description.Session{Title: title}, senders: map[int]*sender{}}
	for _, t := range list {
		s, err := newSender(t, firstPayloadType+uint8(len(d.senders)))
		if err != nil {
			continue
		}
		s.media.Control = fmt.Sprintf("trackID=%d", len(d.senders))
		d.senders[t.ID] = s
		d.session.Medias = append(d.session.Medias, s.media)
	}
	if len(d.senders) == 0 {
		return nil, fmt.Errorf("%w: nothing in it that RTSP can carry yet", ingest.ErrNotFound)
	}
	return d, nil
}

// sender makes RTP packets of one track's packets.
type sender struct {
	media  *description.Media
	format format.Format
	track  *media.Track // newest revision seen
	rate   int          // RTP ticks a second
	base   uint32       // RTP timestamp of the timeline's zero
	encode func(p *media.Packet) ([]*rtp.Packet, error)
	sets   [][]byte // parameter sets to send before keyframes

	packets, octets uint32 // sent, for sender reports
	last            uint32 // newest RTP timestamp
}

func newSender(t *media.Track, payloadType uint8) (*sender, error) {
	var seed [4]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return nil, fmt.Errorf("choose RTP timestamp: %w", err)
	}
	s := &sender{track: t, base: binary.BigEndian.Uint32(seed[:])}
	if err := s.open(payloadType); err != nil {
		return nil, err
	}
	kind := description.MediaTypeVideo
	if t.Kind == media.Audio {
		kind = description.MediaTypeAudio
	}
	s.media = &description.Media{Type: kind, Formats: []format.Format{s.format}}
	s.rate = s.format.ClockRate()
	if s.rate <= 0 {
		return nil, fmt.Errorf("%s without a clock", t.Codec)
	}
	return s, nil
}

// open chooses the format and the encoder for the track.
func (s *sender) open(pt uint8) error {
	t := s.track
	switch t.Codec {
	case media.H264, media.H265:
		return s.openH26x(pt)
	case media.AAC:
		var config mpeg4audio.AudioSpecificConfig
		if err := config.Unmarshal(t.Config); err != nil {
			return fmt.Errorf("read AudioSpecificConfig: %w", err)
		}
		f := &format.MPEG4Audio{
			PayloadTyp: pt, ProfileLevelID: 1, Config: &config,
			SizeLength: 13, IndexLength: 3, IndexDeltaLength: 3,
		}
		e, err := f.CreateEncoder()
		if err != nil {
			return err
		}
		headers := auHeaders{f.SizeLength, f.IndexLength}
		s.format = f
		s.encode = func(p *media.Packet) ([]*rtp.Packet, error) {
			packets, err := e.Encode([][]byte{p.Payload})
			headers.wholeSizes(packets)
			return packets, err
		}
	case media.Opus:
		f := &format.Opus{PayloadTyp: pt, ChannelCount: t.Channels}
		e, err := f.CreateEncoder()
		if err != nil {
			return err
		}
		s.format = f
		s.encode = func(p *media.Packet) ([]*rtp.Packet, error) {
			pkt, err := e.Encode(p.Payload)
			return []*rtp.Packet{pkt}, err
		}
	case media.PCMA, media.PCMU:
		f := &format.G711{PayloadTyp: pt, MULaw: t.Codec == media.PCMU, SampleRate: t.SampleRate, ChannelCount: t.Channels}
		if t.SampleRate == 8000 && t.Channels == 1 {
			f.PayloadTyp = 8 // static payload types, RFC 3551
			if f.MULaw {
				f.PayloadTyp = 0
			}
		}
		e, err := f.CreateEncoder()
		if err != nil {
			return err
		}
		s.format, s.encode = f, raw(e.Encode)
	case media.LPCM:
		f := &format.LPCM{PayloadTyp: pt, BitDepth: t.BitsPerSample, SampleRate: t.SampleRate, ChannelCount: t.Channels}
		e, err := f.CreateEncoder()
		if err != nil {
			return err
		}
		s.format, s.encode = f, raw(e.Encode)
	case media.MPEGAudio:
		f := &format.MPEG1Audio{}
		e, err := f.CreateEncoder()
		if err != nil {
			return err
		}
		s.format, s.encode = f, list(e.Encode)
	case media.AC3:
		f := &format.AC3{PayloadTyp: pt, SampleRate: t.SampleRate, ChannelCount: t.Channels}
		e, err := f.CreateEncoder()
		if err != nil {
			return err
		}
		s.format, s.encode = f, list(e.Encode)
	case media.AV1:
		f := &format.AV1{PayloadTyp: pt}
		e, err := f.CreateEncoder()
		if err != nil {
			return err
		}
		s.format = f
		s.encode = func(p *media.Packet) ([]*rtp.Packet, error) {
			obus := codec.SplitOBUs(p.Payload)
			if len(obus) == 0 {
				return nil, errBroken
			}
			return e.Encode(obus)
		}
	case media.VP9:
		f := &format.VP9{PayloadTyp: pt}
		e, err := f.CreateEncoder()
		if err != nil {
			return err
		}
		s.format, s.encode = f, raw(e.Encode)
	default:
		return errUnsupported
	}
	return nil
}

var errBroken = errors.New("broken access unit")

// list sends a frame by an encoder of several.
func list(encode func([][]byte) ([]*rtp.Packet, error)) func(*media.Packet) ([]*rtp.Packet, error) {
	return func(p *media.Packet) ([]*rtp.Packet, error) { return encode([][]byte{p.Payload}) }
}

// raw sends a payload as it is.
func raw(encode func([]byte) ([]*rtp.Packet, error)) func(*media.Packet) ([]*rtp.Packet, error) {
	return func(p *media.Packet) ([]*rtp.Packet, error) { return encode(p.Payload) }
}

func (s *sender) openH26x(pt uint8) error {
	sets, err := codec.ParseSets(s.track)
	if err != nil {
		return err
	}
	if !sets.Complete() {
		return fmt.Errorf("%s without parameter sets", s.track.Codec)
	}
	s.sets = sets.NALUs()
	vps, sps, pps := sets.First()
	var encode func([][]byte) ([]*rtp.Packet, error)
	if s.track.Codec == media.H264 {
		f := &format.H264{PayloadTyp: pt, PacketizationMode: 1, SPS: sps, PPS: pps}
		e, err := f.CreateEncoder()
		if err != nil {
			return err
		}
		s.format, encode = f, e.Encode
	} else {
		f := &format.H265{PayloadTyp: pt, VPS: vps, SPS: sps, PPS: pps}
		e, err := f.CreateEncoder()
		if err != nil {
			return err
		}
		s.format, encode = f, e.Encode
	}
	s.encode = func(p *media.Packet) ([]*rtp.Packet, error) {
		var nalus [][]byte
		if p.Key {
			nalus = append(nalus, s.sets...)
		}
		whole := codec.SplitNALUs(p.Payload, func(nalu []byte) {
			if len(nalu) > 0 {
				nalus = append(nalus, nalu)
			}
		})
		if !whole || len(nalus) == 0 {
			return nil, errBroken
		}
		return encode(nalus)
	}
	return nil
}

// accepts follows a track's revisions. It reports false when readers have to
// ask for a new description: another codec, or another clock.
func (s *sender) accepts(t *media.Track) bool {
	if t == s.track {
		return true
	}
	old := s.track
	if t.Codec != old.Codec || t.ClockRate != old.ClockRate || t.Channels != old.Channels {
		return false
	}
	switch t.Codec {
	case media.AV1, media.VP9: // all of it goes in band
	case media.H264, media.H265: // parameter sets go in band
		sets, err := codec.ParseSets(t)
		if err != nil {
			return false
		}
		s.sets = sets.NALUs()
	default:
		if string(t.Config) != string(old.Config) {
			return false
		}
	}
	s.track = t
	return true
}

// packetize makes the RTP packets of p.
func (s *sender) packetize(p *media.Packet) ([]*rtp.Packet, error) {
	packets, err := s.encode(p)
	if err != nil {
		return nil, fmt.Errorf("packetize %s: %w", s.track.Codec, err)
	}
	ts := s.timestamp(p.PTS)
	for _, pkt := range packets {
		pkt.Timestamp += ts // encoders count from zero within one call
		s.packets++
		s.octets += uint32(len(pkt.Payload))
	}
	s.last = ts
	return packets, nil
}

func (s *sender) timestamp(pts int64) uint32 {
	return s.base + uint32(media.Rescale(pts, s.track.ClockRate, s.rate))
}

// report is a sender report for a time of the timeline, whose zero is at the
// wall-clock time zero. All tracks share both, which is what lets readers
// align them.
func (s *sender) report(ssrc uint32, zero time.Time, at time.Duration) *rtcp.SenderReport {
	return &rtcp.SenderReport{
		SSRC: ssrc, NTPTime: toNTP(zero.Add(at)), RTPTime: s.base + uint32(media.Ticks(at, s.rate)),
		PacketCount: s.packets, OctetCount: s.octets,
	}
}
