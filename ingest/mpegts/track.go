package mpegts

import (
	"fmt"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/ingest/codec"
	"github.com/millrace/millrace/internal/media"
)

// track is a stream that is taken.
type track struct {
	r        *Receiver
	index    int // among the publisher's tracks
	content  content
	language string
	waits    bool // it took another one's place and has written nothing yet
	track    *media.Track
	decode   decoder
}

// sample is an access unit or a frame, with times in ticks of 90 kHz.
type sample struct {
	pts, dts int64
	hasDTS   bool
	duration int64 // audio: in ticks of the track
	key      bool
	payload  []byte
}

// open makes the track, as far as it is known, and its decoder.
func (t *track) open() (err error) {
	c := t.content
	t.track = &media.Track{Kind: c.kind, Codec: c.codec}
	switch {
	case c.kind == media.Video:
		t.track.ClockRate = wireRate
		t.decode = newVideo(t, c.codec)
	case c.codec == media.AAC && c.latm:
		t.decode = &audio{t: t, framing: &latm{}}
	case c.codec == media.AAC:
		t.decode = &audio{t: t, framing: &adts{}}
	case c.codec == media.MPEGAudio:
		t.decode = &audio{t: t, framing: mpegAudio{}}
	case c.codec == media.AC3, c.codec == media.EAC3:
		t.decode = &audio{t: t, framing: dolby{}}
	case c.codec == media.Opus:
		if t.track, err = opusTrack(c.channels); err != nil {
			return err
		}
		t.decode = &audio{t: t, framing: opusFrames{}}
	}
	t.track.Language = t.language
	return nil
}

// revise says that the track's parameters have become known or have changed.
func (t *track) revise(n *media.Track) {
	n.Language = t.language
	t.track = n
	if t.r.pub != nil {
		// What ended the publisher is seen by who feeds.
		_ = t.r.pub.SetTrack(t.index, n)
	}
}

// reviseSound is revise for codecs that say no more than this.
func (t *track) reviseSound(c media.Codec, rate, channels, bitrate int) {
	if o := t.track; o.Codec != c || o.SampleRate != rate || o.Channels != channels {
		t.revise(&media.Track{
			Kind: media.Audio, Codec: c, ClockRate: rate, SampleRate: rate, Channels: channels, Bitrate: bitrate,
		})
	}
}

// speak puts a language in force.
func (t *track) speak(language string) {
	if language == t.language {
		return
	}
	t.language = language
	n := *t.track
	n.Language = language
	if codec.Complete(&n) {
		t.revise(&n)
	} else {
		t.track = &n
	}
}

// write hands a sample on, or keeps it until there is somebody to take it.
func (t *track) write(s sample) {
	r := t.r
	r.heard.Store(int64(r.now))
	if t.waits && (!codec.Complete(t.track) || !s.key) {
		return // it would be taken for what the place held before
	}
	t.waits = false
	out := ingest.Sample{
		PTS: s.pts, DTS: s.dts, HasDTS: s.hasDTS, Bits: wireBits, Rate: wireRate, Duration: s.duration,
		Key: s.key, Payload: s.payload, Arrival: r.now,
	}
	if i, ok := r.reference(); i == t.index || !ok {
		r.newest = s.pts
	}
	switch {
	case r.pub != nil:
		_ = r.pub.Write(t.index, out) // as in revise
		r.breaks.advance()
	case r.err == nil && r.size < maxHeld:
		r.held = append(r.held, heldSample{t.index, out})
		r.size += len(out.Payload)
	}
}

// damaged counts a unit that was dropped.
func (t *track) damaged() {
	if t.r.pub != nil {
		t.r.pub.Damaged(1)
	}
}

// fault counts what could not be parsed, and mentions it.
func (t *track) fault(err error) {
	t.damaged()
	t.r.fault(fmt.Errorf("%s: %w", t.content.codec, err))
}
