package media

import (
	"context"
	"time"
)

// Packet is one coded access unit (video) or frame (audio). It is immutable
// and shared by all readers; its payload is garbage-collected Go memory.
type Packet struct {
	Track *Track // the revision in force

	// PTS, DTS and Duration are ticks of Track.ClockRate on the stream's
	// timeline, which ingest makes and nobody repairs again. Zero is the
	// creation of the stream; both are never negative. DTS never decreases
	// within a track. Duration 0 means unknown.
	PTS, DTS, Duration int64

	// Key marks an access unit that a decoder can start at. All audio frames
	// that can be decoded alone are keys.
	Key bool

	// Payload is the access unit as fMP4 stores it: NAL units with 4-byte
	// lengths and without parameter sets for H264 and H265, raw frames
	// without ADTS for AAC.
	Payload []byte

	// Arrival is when the packet reached the server; see Now.
	Arrival time.Duration

	// Epoch grows by one whenever the sender's timeline broke: a publisher
	// that came back, or a jump that ingest could not repair. Media before
	// and after do not belong together.
	Epoch uint32
}

// Cut is the decision where a segment starts. It is made once, by the
// pipeline's Cutter, and obeyed by encoders and packagers alike.
type Cut struct {
	Segment uint64 // media sequence number of the segment that starts here

	// Discontinuity is the discontinuity sequence number in force from here
	// on; it grows where media before and after do not belong together.
	Discontinuity uint64

	// PTS of the leading track's first frame in the segment, in ticks of
	// ClockRate.
	PTS       int64
	ClockRate int

	// Wall is when that frame arrived, disciplined by media time: the
	// EXT-X-PROGRAM-DATE-TIME of the segment.
	Wall time.Time
}

// Placed is a packet with its place in the presentation.
type Placed struct {
	*Packet
	Segment       uint64
	Discontinuity uint64
}

// Source is something that has tracks and delivers their packets to any
// number of subscribers.
type Source interface {
	// Tracks returns the newest revision of each track, ordered by ID.
	Tracks() []*Track
	// Subscribe starts delivery. The caller must Close the Subscription.
	Subscribe(SubscribeOptions) Subscription
}

// SubscribeOptions says how a subscriber's bounded queue behaves.
type SubscribeOptions struct {
	Name string // for logs and metrics

	// MaxBytes bounds the payload bytes waiting for this subscriber; 0 means
	// 8 MiB. A live queue that is full drops up to the next keyframe and
	// counts what it dropped.
	MaxBytes int

	// Backlog asks for the packets since the newest keyframe first, so that
	// a decoder can start at once.
	Backlog bool

	// Beginning is Backlog from the publisher's first keyframe on, for the
	// first one who asks: what many senders send at once when they begin is
	// not lost because it took a moment to get ready for them.
	Beginning bool

	// Batch lets audio wait for the next video packet, so that a subscriber
	// who needs both wakes less often.
	Batch bool

	// Block makes the producer wait instead of dropping; for files only.
	Block bool
}

// Subscription is one reader's queue. Next may be called by one goroutine.
type Subscription interface {
	// Next waits for the next packet. It returns io.EOF once the source has
	// ended and everything queued was read, and ctx's error; what is queued
	// it returns even when ctx has ended.
	Next(ctx context.Context) (*Packet, error)
	// Dropped is the number of packets this subscriber lost so far.
	Dropped() uint64
	// Close ends delivery and frees the queue. It may be called twice.
	Close()
}

// Sink accepts packets that have their place.
type Sink interface {
	Write(Placed) error
}
