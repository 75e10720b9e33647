package libav

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/millrace/millrace/transcode"
)

func TestNames(t *testing.T) {
	for kind, some := range map[transcode.OptionKind][]string{
		transcode.EncoderOptions: {"libx264", "libx265", "libvpx-vp9", "libsvtav1", "aac", "libopus", "flac", "png"},
		transcode.DecoderOptions: {"h264", "hevc", "aac", "opus"},
		transcode.FilterOptions:  {"scale", "drawtext", "overlay", "amix", "loudnorm"},
		transcode.MuxOptions:     {"mp4", "matroska", "webm", "mpegts", "flv", "wav"},
		transcode.DemuxOptions:   {"mp4", "mpegts", "rtsp"},
	} {
		names := engine.Names(kind)
		for _, want := range some {
			if !slices.Contains(names, want) {
				t.Errorf("%s %s is missing", kind, want)
			}
		}
		for _, name := range names {
			options, err := engine.Options(kind, name)
			if err != nil {
				t.Errorf("%s %s: %v", kind, name, err)
			}
			for _, o := range options {
				if o.Name == "" || o.Type == "" {
					t.Errorf("%s %s has the option %+v", kind, name, o)
				}
				if slices.Contains(some, name) {
					takesItsValues(t, kind, name, o)
				}
			}
		}
	}
}

// takesItsValues holds the tables and the check to each other.
func takesItsValues(t *testing.T, kind transcode.OptionKind, name string, o transcode.Option) {
	t.Helper()
	for _, v := range o.Values {
		if err := engine.Check(kind, name, map[string]string{o.Name: v}); err != nil {
			t.Errorf("%v, which is one of its values", err)
		}
	}
}

func TestOptionsAreDescribed(t *testing.T) {
	find := func(kind transcode.OptionKind, part, name string) transcode.Option {
		options, err := engine.Options(kind, part)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range options {
			if o.Name == name {
				return o
			}
		}
		t.Fatalf("%s %s has no %s", kind, part, name)
		return transcode.Option{}
	}
	if o := find(transcode.EncoderOptions, "libx264", "crf"); o.Type != "float" || o.Min != -1 || o.Help == "" {
		t.Errorf("%+v", o)
	}
	if o := find(transcode.EncoderOptions, "libx264", "preset"); !slices.Contains(o.Values, "veryfast") || o.Default != "medium" {
		t.Errorf("%+v", o)
	}
	if o := find(transcode.EncoderOptions, "libx264", "g"); o.Type != "int" {
		t.Errorf("%+v", o)
	}
	if o := find(transcode.FilterOptions, "overlay", "eof_action"); !slices.Contains(o.Values, "endall") || o.Default != "repeat" {
		t.Errorf("%+v", o)
	}
	if o := find(transcode.MuxOptions, "mp4", "movflags"); o.Type != "flags" || !slices.Contains(o.Values, "frag_keyframe") {
		t.Errorf("%+v", o)
	}
	if o := find(transcode.EncoderOptions, "libx264", "pix_fmt"); !slices.Contains(o.Values, "yuv420p") {
		t.Errorf("%+v", o)
	}
}

func TestCheck(t *testing.T) {
	set := func(pairs ...string) map[string]string {
		m := make(map[string]string)
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return m
	}
	for _, c := range []struct {
		kind    transcode.OptionKind
		part    string
		options map[string]string
		want    []string // in the error; nothing where all is well
	}{
		{transcode.EncoderOptions, "libx264", set("preset", "fast", "crf", "23", "g", "50", "x264-params", "keyint=60:bframes=2"), nil},
		{transcode.EncoderOptions, "h264", set("tune", "film,fastdecode", "pix_fmt", "yuv420p"), nil},
		{transcode.EncoderOptions, "aac", set("ar", "48000", "ac", "2", "b", "128k"), nil},
		{transcode.EncoderOptions, "lib264", nil, []string{"no encoder lib264", "did you mean libx264"}},
		{transcode.EncoderOptions, "libx264", set("prest", "fast"), []string{"libx264 has no option prest", "did you mean preset"}},
		{transcode.EncoderOptions, "libx264", set("preset", "fastest"), []string{"preset: fastest is not one of ultrafast"}},
		{transcode.EncoderOptions, "libx264", set("crf", "many"), []string{"crf: many is not a float from -1"}},
		{transcode.EncoderOptions, "libx264", set("x264-params", "keyint=60:nosuch=1"), []string{"x264-params", "nosuch"}},
		{transcode.EncoderOptions, "libx265", set("x265-params", "nosuch=1"), []string{"x265-params", "nosuch"}},
		{transcode.EncoderOptions, "libx264", set("pix_fmt", "rgba"), []string{"pix_fmt: rgba is not"}},
		{transcode.EncoderOptions, "aac", set("ar", "12345"), []string{"ar: 12345 is not one of 96000"}},
		{transcode.EncoderOptions, "aac", set("ac", "0"), []string{"ac: 0 is not an int from 1 to 8"}},
		{transcode.EncoderOptions, "png", set("compression_level", "99999999999"), []string{"compression_level: 99999999999 is not an int"}},
		{transcode.DecoderOptions, "h264", set("threads", "2"), nil},
		{transcode.DecoderOptions, "h263q", nil, []string{"no decoder h263q", "did you mean h263"}},
		{transcode.MuxOptions, "mp4", set("movflags", "+frag_keyframe+empty_moov", "avoid_negative_ts", "disabled"), nil},
		{transcode.MuxOptions, "mp4", set("movflags", "frag_keyfrane"), []string{"movflags", "is not flags"}},
		{transcode.MuxOptions, "mp5", nil, []string{"no muxer mp5", "did you mean"}},
		{transcode.DemuxOptions, "", set("rtsp_transport", "tcp", "rw_timeout", "5000000"), nil},
		{transcode.DemuxOptions, "mpegts", set("resync_size", "abc"), []string{"resync_size: abc is not an int from 0"}},
		{transcode.DemuxOptions, "mpegts", set("resinc_size", "1"), []string{"no option resinc_size", "did you mean resync_size"}},
		{transcode.FilterOptions, "scale", set("w", "640", "h", "-2", "flags", "bicubic"), nil},
		{transcode.FilterOptions, "overlay", set("x", "10", "shortest", "1", "enable", "gte(t,1)"), nil},
		{transcode.FilterOptions, "fps", set("enable", "1"), []string{"fps has no option enable"}},
		{transcode.FilterOptions, "eq", set("saturation", "0.5", "brightnes", "1"), []string{"eq has no option brightnes", "did you mean brightness"}},
		{transcode.FilterOptions, "drawtext=text='%{localtime}':x=10,scale=640:-2", nil, nil},
		{transcode.FilterOptions, "[0][1]overlay=10:10", nil, nil},
		{transcode.FilterOptions, "sca1e=640:480", nil, []string{"no filter sca1e", "did you mean scale"}},
		{transcode.FilterOptions, "null,sca1e=w=640", nil, []string{"no filter sca1e"}},
		{transcode.FilterOptions, "scale=640:480,volumee", nil, []string{"no filter volumee", "did you mean volume"}},
		{transcode.FilterOptions, "scale=widht=640", nil, []string{"scale has no option widht", "did you mean width"}},
		{transcode.FilterOptions, "volume=precision=high", nil, []string{"volume: precision: high is not"}},
		{transcode.FilterOptions, "[0scale", nil, []string{"at 0", "Mismatched '['"}},
		{transcode.FilterOptions, "scale=640:480[", nil, []string{"at 13", "label"}},
		{transcode.FilterOptions, "", nil, []string{"filter"}},
		{transcode.FilterOptions, "movie=/no/such/file.png", nil, []string{"No such file"}},
	} {
		err := engine.Check(c.kind, c.part, c.options)
		if (err == nil) != (c.want == nil) {
			t.Errorf("%s %s %v: %v", c.kind, c.part, c.options, err)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s %s %v: %q is missing in %q", c.kind, c.part, c.options, want, err)
			}
		}
		var oe *transcode.OptionError
		var ge *GraphError
		if err != nil && !errors.As(err, &oe) && !errors.As(err, &ge) {
			t.Errorf("%s %s: a %T", c.kind, c.part, err)
		}
	}
}

func FuzzCheckGraph(f *testing.F) {
	for _, d := range []string{
		"scale=640:480", "[0][1]overlay=10:10[out0]", "drawtext=text='a\\:b':x=1", "sws_flags=bilinear;scale", "[a[b]null", "'", "a@b=c", "null;null,",
	} {
		f.Add(d)
	}
	f.Fuzz(func(_ *testing.T, d string) {
		// The options alone: making the filters may open files.
		_ = checkSegment(d)
		_, _ = places(strings.Split(d, ","))
	})
}

func TestPlaces(t *testing.T) {
	for labels, want := range map[string][]int{
		"in1 in0": {1, 0}, "0:v 1:a": {0, 1}, "2 0 1": {2, 0, 1}, "bg 0": nil, "": nil,
	} {
		if got, err := places(strings.Split(labels, " ")); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v", labels, got, err)
		}
	}
	for _, labels := range []string{"0 0", "0 2"} {
		if _, err := places(strings.Split(labels, " ")); err == nil {
			t.Errorf("%s passes", labels)
		}
	}
}
