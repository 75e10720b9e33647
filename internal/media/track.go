package media

import "fmt"

// Kind is what a track carries.
type Kind uint8

// The kinds of tracks. Text is none that is ingested: its cues come beside the
// media, see Cue.
const (
	Video Kind = iota + 1
	Audio
	Text
)

func (k Kind) String() string {
	switch k {
	case Video:
		return "video"
	case Audio:
		return "audio"
	case Text:
		return "text"
	}
	return "unknown"
}

// Codec names the coding of a track, in lower case, as users read it.
type Codec string

// The codecs that ingest may deliver. Which of them a player can take is the
// planner's business, not this package's.
const (
	H264      Codec = "h264"
	H265      Codec = "h265"
	AV1       Codec = "av1"
	VP9       Codec = "vp9"
	AAC       Codec = "aac"
	Opus      Codec = "opus"
	MPEGAudio Codec = "mpeg-audio" // layers I to III
	AC3       Codec = "ac3"
	EAC3      Codec = "eac3"
	FLAC      Codec = "flac"
	PCMA      Codec = "pcma" // G.711 A-law
	PCMU      Codec = "pcmu" // G.711 µ-law
	LPCM      Codec = "lpcm" // signed, big endian

	// Raw stands for the decoded frames that a script hands on in place of
	// packets; no packet has it.
	Raw Codec = "raw"
)

// Rational is an exact ratio; the zero value means unknown.
type Rational struct{ Num, Den int }

// Known reports whether r carries a value.
func (r Rational) Known() bool { return r.Num > 0 && r.Den > 0 }

// Float is for printing and for estimates, never for time arithmetic.
func (r Rational) Float() float64 {
	if r.Den == 0 {
		return 0
	}
	return float64(r.Num) / float64(r.Den)
}

func (r Rational) String() string { return fmt.Sprintf("%d/%d", r.Num, r.Den) }

// Track describes one elementary stream. It is immutable: parameters that
// change in flight make a new Track with the same ID and the next Revision.
type Track struct {
	ID       int // unique within its stream, kept over revisions
	Revision int
	Kind     Kind
	Codec    Codec

	// ClockRate is the number of timestamp ticks a second: 90000 for video,
	// the sample rate for audio.
	ClockRate int

	// Config is the decoder configuration as fMP4 stores it: avcC for H264,
	// hvcC for H265, av1C for AV1, vpcC for VP9, the AudioSpecificConfig for
	// AAC, dOps for Opus, dac3 and dec3 for AC3 and EAC3, the content of dfLa
	// for FLAC. Nil where the codec needs none, or while the
	// parameter sets have not been seen.
	Config []byte

	// Video only. Width and Height are the coded picture after cropping, in
	// samples; SampleAspect and Rotation (degrees clockwise, 0/90/180/270)
	// say how to show it.
	Width, Height int
	SampleAspect  Rational
	Rotation      int
	FrameRate     Rational // unknown for variable rates
	Interlaced    bool
	BitDepth      int    // 0 unknown
	Chroma        string // "4:2:0", "4:2:2", "4:4:4"; empty unknown

	// Audio only.
	SampleRate    int
	Channels      int
	BitsPerSample int // LPCM only

	Language string // BCP 47; empty unknown
	Bitrate  int    // bits/s as declared by the sender; 0 unknown
}

// SameParameters reports whether a decoder or player fed with o may go on with
// t without being told.
func (t *Track) SameParameters(o *Track) bool {
	return t.Kind == o.Kind && t.Codec == o.Codec && t.ClockRate == o.ClockRate &&
		string(t.Config) == string(o.Config) &&
		t.Width == o.Width && t.Height == o.Height && t.SampleAspect == o.SampleAspect &&
		t.Rotation == o.Rotation && t.Interlaced == o.Interlaced &&
		t.SampleRate == o.SampleRate && t.Channels == o.Channels && t.BitsPerSample == o.BitsPerSample
}

func (t *Track) String() string {
	switch t.Kind {
	case Video:
		return fmt.Sprintf("#%d %s %dx%d", t.ID, t.Codec, t.Width, t.Height)
	case Audio:
		return fmt.Sprintf("#%d %s %d Hz %dch", t.ID, t.Codec, t.SampleRate, t.Channels)
	}
	return fmt.Sprintf("#%d %s", t.ID, t.Codec)
}
