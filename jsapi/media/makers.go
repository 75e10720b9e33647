package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/jsapi/native"
	"github.com/millrace/millrace/transcode"
)

// makerNatives make the stages: each checks what it was given, and returns a
// stage's number.
func (m *Module) makerNatives(o native.Object) {
	makers := map[string]func(native.Args) (*stage, error){
		"source": m.makeSource, "open": m.makeOpen, "track": m.makeTrack, "decode": m.makeDecode,
		"filter": m.makeFilter, "encode": m.makeEncode, "ladder": m.makeLadder, "mux": m.makeMux,
		"hls": m.makeHLS, "record": m.makeRecord, "snapshot": m.makeSnapshot, "tee": m.makeTee,
	}
	for name, make := range makers {
		o.Func(name, func(a native.Args) (any, error) {
			s, err := make(a)
			if err != nil {
				return nil, reason(m.named(err))
			}
			made := m.rt.NewObject()
			_ = made.Set("id", s.id)
			_ = made.Set("kind", s.kind)
			_ = made.Set("label", s.label)
			_ = made.Set("takes", string(s.takes))
			_ = made.Set("gives", string(s.gives))
			_ = made.Set("lossy", s.out != nil && s.out.lossy)
			if len(s.branches) > 0 {
				_ = made.Set("outputs", m.madeBranches(s))
			}
			return made, nil
		})
	}
	o.Func("tracks", func(a native.Args) (any, error) {
		var all []any
		if s := m.stage(a, 0); s.tracks != nil {
			for _, t := range s.tracks() {
				all = append(all, m.trackObject(t))
			}
		}
		return m.rt.NewArray(all...), nil
	})
	o.Func("duration", func(a native.Args) (any, error) {
		if f := m.stage(a, 0).feed; f != nil && f.duration() > 0 {
			return f.duration().Seconds(), nil
		}
		return nil, nil
	})
	o.Func("settle", func(a native.Args) (any, error) { return nil, m.settleChain(m.stage(a, 0), m.stage(a, 1)) })
	o.Func("command", func(a native.Args) (any, error) {
		if f, ok := m.stage(a, 0).work.(*filter); ok {
			f.commands.put(command{a.String(1), a.String(2), a.String(3)})
		}
		return nil, nil
	})
	o.Func("overflow", func(a native.Args) (any, error) {
		s := m.settings("source", a.At(1))
		o := s.overflow(m.stage(a, 0).out.overflow)
		if err := s.done(); err != nil {
			return nil, reason(m.named(err))
		}
		m.stage(a, 0).out.setOverflow(o)
		return nil, nil
	})
	m.tableNatives(o)
}

// named puts the stream's name into an error that was made without.
func (m *Module) named(err error) error {
	var own *Error
	if errors.As(err, &own) && own.Stream == "" {
		own.Stream = m.opts.Stream
	}
	return err
}

func (m *Module) makeSource(native.Args) (*stage, error) {
	if m.opts.Source == nil {
		return nil, &Error{Stage: "source", Code: codeAbsent, Message: "there is none here: open(url) opens one"}
	}
	if m.source == nil {
		f := m.newFeed("source", "source", m.liveOverflow(m.opts.Live), m.opts.Source, nil)
		m.source = f.stage
	}
	return m.source, nil
}

func (m *Module) liveOverflow(live bool) overflow {
	if live {
		return dropToKey
	}
	return block
}

// wires are the schemes of URLs whose media comes at its own pace.
var wires = []string{"rtsp:", "rtsps:", "rtmp:", "rtmps:", "srt:", "udp:", "rtp:", "tcp:"}

func (m *Module) makeOpen(a native.Args) (*stage, error) {
	if m.opts.Engine == nil {
		return nil, m.absent("open()")
	}
	url := a.String(0)
	s := m.settings("open", a.At(1))
	live := false
	for _, scheme := range wires {
		live = live || strings.HasPrefix(url, scheme)
	}
	if l := s.flag("live"); l != nil {
		live = *l
	}
	o := s.overflow(m.liveOverflow(live))
	input := transcode.InputOptions{Format: s.text("format")}
	input.Options = s.rest(m)
	if url == "" {
		s.fail("", "it needs a file or URL")
	}
	if input.Format != "" {
		if err := s.check(m, transcode.DemuxOptions, input.Format, input.Options); err != nil {
			return nil, err
		}
	}
	if err := s.done(); err != nil {
		return nil, err
	}
	f := m.newFeed("open", "open "+shown(url), o, nil, func(ctx context.Context) (Source, error) {
		in, err := m.opts.Engine.Open(ctx, url, input)
		if err != nil {
			return nil, err
		}
		return in, nil
	})
	return f.stage, nil
}

// shown is a URL without what nobody else should read.
func shown(url string) string {
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok {
		return url
	}
	host, path, _ := strings.Cut(rest, "/")
	if at := strings.LastIndexByte(host, '@'); at >= 0 {
		host = host[at+1:]
	}
	path, _, _ = strings.Cut(path, "?")
	return scheme + "://" + host + "/" + path
}

func (m *Module) makeTrack(a native.Args) (*stage, error) {
	of := m.stage(a, 0)
	if of.feed == nil {
		return nil, &Error{Stage: of.kind, Code: codeLink, Message: "it has no tracks"}
	}
	if id := int(a.Int(1)); id != first {
		for _, t := range of.feed.tracks() {
			if t.ID == id {
				return of.feed.branch(t.Kind, id), nil
			}
		}
		return nil, &Error{Stage: of.kind, Code: codeLink, Message: fmt.Sprintf("it has no track %d", id)}
	}
	if a.String(2) == "audio" {
		return of.feed.branch(media.Audio, first), nil
	}
	return of.feed.branch(media.Video, first), nil
}

func (m *Module) makeDecode(a native.Args) (*stage, error) {
	s := m.settings("decode", a.At(0))
	d := &decoder{tracks: map[int]*decoding{}}
	video, audio := s.group(m, "video"), s.group(m, "audio")
	var err error
	if d.video, err = m.decoderOptions(s); err != nil {
		return nil, err
	}
	d.audio = d.video
	for _, part := range []struct {
		of *settings
		to *transcode.CoderOptions
	}{{video, &d.video}, {audio, &d.audio}} {
		if part.of != nil {
			if *part.to, err = m.decoderOptions(part.of); err != nil {
				return nil, err
			}
		}
	}
	d.s = m.add(&stage{kind: "decode", label: "decode", takes: packets, gives: frames, work: d})
	return d.s, nil
}

func (m *Module) decoderOptions(s *settings) (transcode.CoderOptions, error) {
	o := transcode.CoderOptions{
		Codec: s.text("codec"), Threads: s.whole("threads", 1, 64), LowLatency: m.opts.Live,
	}
	if l := s.flag("lowLatency"); l != nil {
		o.LowLatency = *l
	}
	o.Options = s.rest(m)
	if o.Codec != "" {
		return o, s.check(m, transcode.DecoderOptions, o.Codec, o.Options)
	}
	for name := range o.Options {
		if near := nearest(name, s.known); near != "" {
			return o, s.unknown(name)
		}
	}
	if m.opts.Engine == nil {
		return o, m.absent("decode()")
	}
	return o, s.err
}

func (m *Module) makeFilter(a native.Args) (*stage, error) {
	s := m.settings("filter", a.At(1))
	f := &filter{
		description: a.String(0), tracks: map[media.Kind]*media.Track{}, ended: map[int]bool{}, inputs: map[int]int{},
	}
	if f.description == "" {
		s.fail("", "it needs a graph, such as 'scale=640:-2'")
	}
	if err := s.done(); err != nil {
		return nil, err
	}
	if m.opts.Engine == nil {
		return nil, m.absent("filter()")
	}
	labels, err := m.tryFilter(f.description)
	if err != nil {
		return nil, &Error{Stage: "filter", Code: codeOption, Message: err.Error(), Cause: err}
	}
	made := &stage{kind: "filter", label: "filter " + f.description, takes: frames, gives: frames, work: f}
	if len(labels) > 1 {
		made.gives = nothing // its outputs do
	}
	f.s = m.add(made)
	if len(labels) > 1 {
		f.branch(labels)
	}
	return f.s, nil
}

func (m *Module) makeEncode(a native.Args) (*stage, error) {
	s := m.settings("encode", a.At(0))
	e := &encoder{tracks: map[encoded]*encoding{}}
	video, audio := s.group(m, "video"), s.group(m, "audio")
	label := "encode"
	if video == nil && audio == nil {
		o, kind, err := m.encoderOptions(s)
		if err != nil {
			return nil, err
		}
		label += " " + o.Codec
		if kind == media.Video {
			e.video = &o
		} else {
			e.audio = &o
		}
	}
	for _, part := range []struct {
		of   *settings
		to   **transcode.CoderOptions
		kind media.Kind
	}{{video, &e.video, media.Video}, {audio, &e.audio, media.Audio}} {
		if part.of == nil {
			continue
		}
		o, kind, err := m.encoderOptions(part.of)
		if err == nil && kind != part.kind {
			err = &Error{Stage: "encode", Code: codeOption, Message: fmt.Sprintf("%s: %s encodes %s", part.kind, o.Codec, kind)}
		}
		if err != nil {
			return nil, err
		}
		label += " " + o.Codec
		*part.to = &o
	}
	if err := s.done(); err != nil {
		return nil, err
	}
	e.s = m.add(&stage{kind: "encode", label: label, takes: frames, gives: packets, work: e})
	return e.s, nil
}

// soundCoders are the encoders of sound that have names of their own here;
// what else an encoder is for its name tells libav.
func (m *Module) encoderOptions(s *settings) (transcode.CoderOptions, media.Kind, error) {
	o := transcode.CoderOptions{
		Codec: s.text("codec"), Bitrate: s.bitrate("bitrate"), FrameRate: s.rate("fps"),
		Threads: s.whole("threads", 1, 64), LowLatency: m.opts.Live,
	}
	if l := s.flag("lowLatency"); l != nil {
		o.LowLatency = *l
	}
	if o.Threads == 0 && m.opts.Clock != nil {
		o.Threads = 1 // what rate control makes on several threads is never twice the same
	}
	if gop := s.length("gop"); gop != nil {
		o.GOP = max(*gop, time.Millisecond)
	}
	o.Options = s.rest(m)
	if o.Codec == "" {
		s.fail("codec", "it says nothing; 'libx264', 'aac' and 'libopus' are usual, and options('encoder') lists all")
	}
	if err := s.check(m, transcode.EncoderOptions, o.Codec, o.Options); err != nil {
		return o, 0, err
	}
	return o, m.kindOfCoder(o.Codec), nil
}

func (m *Module) makeMux(a native.Args) (*stage, error) {
	s := m.settings("mux", a.At(1))
	o := transcode.MuxerOptions{Format: a.String(0)}
	if o.Format == "" {
		s.fail("", "it needs a format, such as 'mp4', 'matroska' or 'mpegts'")
	}
	o.Options = s.rest(m)
	if err := s.check(m, transcode.MuxOptions, o.Format, o.Options); err != nil {
		return nil, err
	}
	x := &muxing{options: o}
	x.s = m.add(&stage{kind: "mux", label: "mux " + o.Format, takes: packets, gives: bytes, work: x})
	x.lanes = lanes{s: x.s, live: m.opts.Live, ended: map[int]bool{}}
	x.open = func(ctx context.Context) (io.WriteCloser, error) { return intoOutlet{ctx, x.s}, nil }
	return x.s, nil
}

// formats are the containers of file names.
var formats = map[string]string{
	".mp4": "mp4", ".m4v": "mp4", ".m4a": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm",
	".ts": "mpegts", ".flv": "flv", ".wav": "wav", ".mp3": "mp3", ".aac": "adts", ".ogg": "ogg", ".opus": "opus",
}

func (m *Module) makeRecord(a native.Args) (*stage, error) {
	s := m.settings("record", a.At(0))
	file := s.text("file")
	o := transcode.MuxerOptions{Format: s.text("format")}
	if file == "" {
		s.fail("file", "it says nothing; it is where the recording goes")
	}
	if o.Format == "" {
		if dot := strings.LastIndexByte(file, '.'); dot >= 0 {
			o.Format = formats[file[dot:]]
		}
		if o.Format == "" {
			s.fail("format", "the name %s does not tell it; 'mp4', 'matroska' and 'mpegts' are usual", file)
		}
	}
	o.Options = s.rest(m)
	if err := s.check(m, transcode.MuxOptions, o.Format, o.Options); err != nil {
		return nil, err
	}
	x := &muxing{options: o}
	x.s = m.add(&stage{kind: "record", label: "record " + file, takes: packets, work: x})
	x.lanes = lanes{s: x.s, live: m.opts.Live, ended: map[int]bool{}}
	x.open = func(context.Context) (io.WriteCloser, error) { return os.Create(file) }
	return x.s, nil
}

// passing hands on what it gets: a tee.
type passing struct{ s *stage }

func (p passing) take(ctx context.Context, o object) error { return p.s.emit(ctx, o) }
func (passing) finish(context.Context) error               { return nil }
func (passing) close()                                     {}

func (m *Module) makeTee(a native.Args) (*stage, error) {
	s := m.settings("tee", a.At(0))
	lossy := s.isSet("lossy")
	if err := s.done(); err != nil {
		return nil, err
	}
	t := m.add(&stage{kind: "tee", label: "tee", takes: either, gives: either})
	t.work = passing{t}
	t.out.lossy = lossy
	return t, nil
}
