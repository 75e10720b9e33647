package media

import (
	"math"
	"strings"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/jsapi/native"
	"github.com/millrace/millrace/transcode"
)

// tableNatives tell what libav has: options(kind, name), probe(url).
func (m *Module) tableNatives(o native.Object) {
	o.Func("options", func(a native.Args) (any, error) {
		if m.opts.Engine == nil {
			return nil, m.absent("options()")
		}
		kind := transcode.OptionKind(a.String(0))
		switch kind {
		case transcode.DecoderOptions, transcode.EncoderOptions, transcode.FilterOptions, transcode.MuxOptions, transcode.DemuxOptions:
		default:
			return nil, reason(&Error{
				Stage: "options", Code: codeOption, Stream: m.opts.Stream,
				Message: a.String(0) + " is none of decoder, encoder, filter, muxer and demuxer",
			})
		}
		if !a.Given(1) {
			return m.opts.Engine.Names(kind), nil
		}
		list, err := m.opts.Engine.Options(kind, a.String(1))
		if err != nil {
			return nil, reason(err)
		}
		all := make([]any, len(list))
		for i := range list {
			all[i] = m.optionObject(&list[i])
		}
		return m.rt.NewArray(all...), nil
	})
	o.Func("probe", func(a native.Args) (any, error) {
		if m.opts.Engine == nil {
			return nil, m.absent("probe()")
		}
		return m.probe(a.String(0)), nil
	})
}

func (m *Module) optionObject(of *transcode.Option) goja.Value {
	o := m.rt.NewObject()
	_ = o.Set("name", of.Name)
	_ = o.Set("help", of.Help)
	_ = o.Set("type", of.Type)
	_ = o.Set("default", of.Default)
	if of.Max > of.Min && !math.IsInf(of.Max, 0) {
		_ = o.Set("min", of.Min)
		_ = o.Set("max", of.Max)
	}
	if len(of.Values) > 0 {
		_ = o.Set("values", native.Value(m.rt, of.Values))
	}
	return o
}

// probe is the promise of what is in a file or URL.
func (m *Module) probe(url string) goja.Value {
	promise, resolve, reject := m.rt.NewPromise()
	p := m.l.Pending()
	ctx := m.l.Context()
	go func() {
		in, err := m.opts.Engine.Open(ctx, url, transcode.InputOptions{})
		var tracks []*media.Track
		var length float64
		if err == nil {
			tracks, length = in.Tracks(), in.Duration().Seconds()
			in.Close()
		}
		p.Settle(func() {
			if err != nil {
				_ = reject(m.l.Reason(reason(&Error{Stage: "probe", Stream: m.opts.Stream, Code: codeOpen, Message: err.Error(), Cause: err})))
				return
			}
			found := m.rt.NewObject()
			all := make([]any, len(tracks))
			for i, t := range tracks {
				all[i] = m.trackObject(t)
			}
			_ = found.Set("tracks", m.rt.NewArray(all...))
			if length > 0 {
				_ = found.Set("duration", length)
			}
			_ = resolve(found)
		})
	}()
	return m.rt.ToValue(promise)
}

// soundCoders begin the names of the encoders of sound; all others encode
// pictures.
var soundCoders = []string{
	"aac", "libfdk_aac", "opus", "libopus", "mp2", "mp3", "libmp3lame", "ac3", "eac3", "flac", "alac", "pcm_", "pcma", "pcmu",
	"vorbis", "libvorbis", "adpcm_", "g722", "g723", "g726", "wma", "dca", "truehd", "mlp", "libspeex", "lpcm", "mpeg-audio",
	"nellymoser", "aptx", "sbc", "tta", "wavpack", "comfortnoise", "libtwolame", "libshine", "libgsm", "libilbc", "real_144", "s302m",
}

func (m *Module) kindOfCoder(name string) media.Kind {
	for _, begin := range soundCoders {
		if strings.HasPrefix(name, begin) {
			return media.Audio
		}
	}
	return media.Video
}

// tryFilter makes a graph for the sake of what is wrong with it, and of the
// labels of its outputs.
func (m *Module) tryFilter(description string) ([]string, error) {
	var first error
	for _, kinds := range [][]media.Kind{
		{media.Video}, {media.Audio}, {media.Video, media.Video}, {media.Audio, media.Audio}, {media.Video, media.Audio},
	} {
		graph, err := m.opts.Engine.Filter(description, kinds)
		if err == nil {
			defer graph.Close()
			return graph.Outputs(), nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}
