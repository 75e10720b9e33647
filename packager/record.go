package packager

import (
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/packager/protect"
	"github.com/millrace/millrace/packager/store"
)

// Recorder is told of a live presentation what its playlists list, to keep it
// for later. Its methods are called while viewers wait: they must not block.
type Recorder interface {
	// Segment is called once a listed segment, in the order of each rendition.
	// Renditions may call at the same time.
	Segment(Listed)
	// Multivariant is called when the multivariant playlist has changed. The
	// text must not be altered.
	Multivariant(text []byte)
	// DateRange is called when a date range is there, or more is known of it.
	DateRange(playlist.DateRange)
}

// Listed is a segment as a media playlist lists it.
type Listed struct {
	Rendition     string
	Kind          media.Kind
	Number        uint64
	Discontinuity uint64 // its sequence number
	Duration      time.Duration
	Wall          time.Time // of its beginning
	Target        time.Duration
	Container     Container

	// What a gap has not:
	Init    string // name of the initialization section; of text, which has none, a name all the same
	Section []byte // its bytes, shared: not to be altered
	File    *store.File
	Size    int64
	IFrame  int64 // bytes of the I-frame that it begins with, with its boxes; 0 for none

	Key    *protect.Key // nil in the clear
	KeyTag playlist.Key // that names Key
	Served bool         // whether KeyTag means a file beside the multivariant playlist, called as KeyName says
}

// KeyName is the file of a key that is served beside a multivariant playlist.
func KeyName(k *protect.Key) string { return k.Name() + keySuffix }

// Gap reports whether the segment has no media.
func (l *Listed) Gap() bool { return l.File == nil }

// record hands a listed segment to the recorder.
func (p *Presentation) record(r *rendition, s *segment) {
	if p.cfg.Recorder == nil {
		return
	}
	l := Listed{
		Rendition: r.name, Kind: r.kind, Number: s.number, Discontinuity: s.discontinuity,
		Duration: s.duration, Wall: s.wall, Target: p.target, Container: p.cfg.Container,
	}
	if !s.gap {
		l.Init, l.Section, l.File, l.Size, l.IFrame = s.init.name, s.init.bytes, s.file, s.size, s.iframeSize
		if s.key != nil {
			l.Key, l.KeyTag, l.Served = s.key.Key, s.key.tag, s.key.served
		}
	}
	p.cfg.Recorder.Segment(l)
}
