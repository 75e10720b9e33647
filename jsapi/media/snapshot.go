package media

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/jsapi/native"
	"github.com/millrace/millrace/transcode"
)

// snapshots make pictures of what reaches them: of frames, or of keyframes.
type snapshots struct {
	s             *stage
	file          string // %d is the number; empty: none is written
	png           bool
	quality       int
	width, height int
	every         time.Duration
	most          int // 0: no end

	taken int
	next  time.Duration
	begun bool
}

func (m *Module) makeSnapshot(a native.Args) (*stage, error) {
	s := m.settings("snapshot", a.At(0))
	n := &snapshots{
		file: s.text("file"), quality: s.whole("quality", 1, 100), width: s.whole("width", 2, 16384),
		height: s.whole("height", 2, 16384), most: s.whole("count", 1, 1<<30),
	}
	if every := s.length("every"); every != nil {
		n.every = *every
	}
	switch format := s.text("format"); format {
	case "":
		n.png = strings.HasSuffix(n.file, ".png")
	case "jpeg", "jpg":
	case "png":
		n.png = true
	default:
		s.fail("format", "%q is neither jpeg nor png", format)
	}
	if err := s.done(); err != nil {
		return nil, err
	}
	if n.quality == 0 {
		n.quality = 85
	}
	if m.opts.Engine == nil {
		return nil, m.absent("snapshot()")
	}
	n.s = m.add(&stage{kind: "snapshot", label: strings.TrimSpace("snapshot " + n.file), takes: either, work: n})
	return n.s, nil
}

func (n *snapshots) take(ctx context.Context, o object) error {
	defer o.close()
	t := o.trackOf()
	if o.frame != nil && o.frame.Kind() != media.Video || o.frame == nil && (t.Kind != media.Video || !o.packet.Key) {
		return nil
	}
	at, ok := o.at()
	if !ok || n.most > 0 && n.taken >= n.most || n.begun && at < n.next {
		return nil
	}
	n.begun, n.next = true, at+n.every
	if o.frame != nil {
		return n.picture(o.frame, at)
	}
	return n.decode(ctx, o.packet, at)
}

// decode makes a picture of one keyframe.
func (n *snapshots) decode(_ context.Context, p *media.Packet, at time.Duration) error {
	coder, err := n.s.m.opts.Engine.Decoder(p.Track, transcode.CoderOptions{Threads: 1, LowLatency: true})
	if err != nil {
		return n.s.failure(codeDecode, false, err)
	}
	defer coder.Close()
	done := false
	emit := func(f transcode.Frame) error {
		defer f.Close()
		if done {
			return nil
		}
		done = true
		return n.picture(f, at)
	}
	if err := coder.Decode(p, emit); err != nil {
		return n.s.failure(codeDecode, true, err)
	}
	if !done {
		if err := coder.Decode(nil, emit); err != nil {
			return n.s.failure(codeDecode, true, err)
		}
	}
	return nil
}

func (n *snapshots) picture(f transcode.Frame, at time.Duration) error {
	if n.width > 0 || n.height > 0 {
		scaled, err := f.Scale(n.width, n.height, "")
		if err != nil {
			return n.s.failure(codeFilter, true, err)
		}
		defer scaled.Close()
		f = scaled
	}
	var b []byte
	var err error
	if n.png {
		b, err = f.PNG()
	} else {
		b, err = f.JPEG(n.quality)
	}
	if err != nil {
		return n.s.failure(codeEncode, true, err)
	}
	n.taken++
	name := n.file
	if strings.Contains(name, "%") {
		name = fmt.Sprintf(name, n.taken)
	}
	if name != "" {
		if err := writeWhole(name, b); err != nil {
			return n.s.failure(codeWrite, false, err)
		}
	}
	m, number := n.s.m, n.taken
	m.post(func() {
		o := m.rt.NewObject()
		_ = o.Set("number", number)
		_ = o.Set("time", at.Seconds())
		_ = o.Set("data", m.buffer(b))
		if name != "" {
			_ = o.Set("file", name)
		}
		n.s.say("snapshot", o)
	})
	return nil
}

// writeWhole puts a file in its place at once, so that nobody reads half of
// it.
func writeWhole(name string, b []byte) error {
	part := name + ".part"
	if err := os.WriteFile(part, b, 0o644); err != nil {
		return err
	}
	return os.Rename(part, name)
}

func (*snapshots) finish(context.Context) error { return nil }
func (*snapshots) restart()                     {}
func (*snapshots) close()                       {}
