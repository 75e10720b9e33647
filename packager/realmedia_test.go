package packager

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/fmp4"
	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/packager/store"
	"github.com/millrace/millrace/testmedia"
	"github.com/millrace/millrace/testmedia/tools"
)

// demux reads one track of a clip: ffmpeg puts it alone into a fragmented file
// whose timestamps begin at one second.
func demux(t testing.TB, clip string, r testmedia.Recipe, kind media.Kind) (*media.Track, []*media.Packet) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "track.mp4")
	flags := "frag_keyframe+empty_moov+default_base_moof+frag_discont"
	if a := r.Audio; kind == media.Audio && (a.Codec == "ac3" || a.Codec == "eac3") {
		flags += "+delay_moov" // their configuration is in their frames
	}
	args := []string{
		"-v", "error", "-i", clip, "-map", "0:" + kind.String()[:1] + ":0", "-c", "copy", "-tag:v", tag(r, kind), "-video_track_timescale", "90000",
		"-output_ts_offset", "1", "-avoid_negative_ts", "disabled", "-use_editlist", "0",
		"-movflags", flags, path,
	}
	if kind == media.Audio || tag(r, kind) == "" {
		args = slices.Delete(args, 8, 10)
	}
	if out, err := exec.CommandContext(t.Context(), tools.Find(t, "ffmpeg"), args...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	h, err := fmp4.ReadInit(b)
	if err != nil {
		t.Fatal(err)
	}
	fs, err := fmp4.ReadFragments(b)
	if err != nil {
		t.Fatal(err)
	}
	track := &media.Track{ID: int(kind), Kind: kind, ClockRate: int(h.Timescale), Config: h.Boxes[0].Body}
	if kind == media.Video {
		v := r.Complete().Video
		track.Codec, track.Width, track.Height = media.Codec(v.Codec), h.Width, h.Height
		track.SampleAspect, track.Rotation = media.Rational{Num: v.SampleAspectNum, Den: v.SampleAspectDen}, v.Rotation
		if !v.Variable {
			track.FrameRate = media.Rational{Num: v.Rate.Num, Den: v.Rate.Den}
		}
	} else {
		a := r.Complete().Audio
		track.Codec, track.SampleRate, track.Channels = media.Codec(a.Codec), a.Rate, a.Channels
		switch a.Codec {
		case "aac": // DecoderSpecificInfo: tag, four bytes of length
			at := bytes.IndexByte(track.Config[20:], 5) + 20
			track.Config = track.Config[at+5 : at+5+int(track.Config[at+4])]
		case "mp3":
			track.Codec, track.Config = media.MPEGAudio, nil
		}
	}
	var out []*media.Packet
	for _, f := range fs {
		dts := int64(f.Base)
		for _, s := range f.Samples {
			out = append(out, &media.Packet{Track: track, PTS: dts + int64(s.Offset), DTS: dts, Key: s.Key, Payload: s.Payload})
			dts += int64(s.Duration)
		}
	}
	return track, out
}

func tag(r testmedia.Recipe, kind media.Kind) string {
	if kind == media.Video && r.Video.Codec == "h265" {
		return "hvc1"
	}
	return ""
}

// TestRealMedia packages clips of every codec and lets ffmpeg and ffprobe say
// what came out: all pictures in order, sound in time, and what the
// multivariant playlist promised.
func TestRealMedia(t *testing.T) {
	for _, c := range []struct{ clip, codecs string }{
		{"h264-b", "avc1.64001E,mp4a.40.2"},
		{"h264-29.97", "avc1.64001E,mp4a.40.2"},
		{"h264-vfr", "avc1.64001E,mp4a.40.2"},
		{"h264-portrait", "avc1.64001E,mp4a.40.2"},
		{"h264-upside-down", "avc1.64001E,mp4a.40.2"},
		{"h264-4x3", "avc1.640014,mp4a.40.2"},
		{"h264-aac-mono", "avc1.64001E,mp4a.40.2"},
		{"h264-mp3", "avc1.64001E,mp4a.6B"},
		{"h264-ac3", "avc1.64001E,ac-3"},
		{"h264-eac3", "avc1.64001E,ec-3"},
		{"h264-flac", "avc1.64001E,fLaC"},
		{"h264-silent", "avc1.64001E"},
		{"h265-b", "hvc1.1.6.L63.90,mp4a.40.2"},
		{"h265-10bit", "hvc1.2.4.L63.90,mp4a.40.2"},
		{"vp9", "vp09.00.21.08,opus"},
		{"av1", "av01.0.01M.08,opus"},
		{"aac", "mp4a.40.2"},
		{"opus", "opus"},
	} {
		t.Run(c.clip, func(t *testing.T) {
			clip, r := tools.Clip(t, c.clip)
			dir := filepath.Join(t.TempDir(), "out")
			packageVOD(t, clip, r, dir)
			text, err := os.ReadFile(filepath.Join(dir, "index.m3u8"))
			if err != nil {
				t.Fatal(err)
			}
			m, err := playlist.ParseMultivariant(string(text))
			if err != nil {
				t.Fatal(err)
			}
			if got := m.Variants[0].Codecs; got != c.codecs {
				t.Errorf("CODECS %q, want %q", got, c.codecs)
			}
			probed := tools.MustProbe(t, filepath.Join(dir, "index.m3u8"))
			checkPromises(t, r, m.Variants[0], probed)
			rec := tools.MustRead(t, time.Minute, filepath.Join(dir, "index.m3u8"), tools.ReadOptions{NoVideo: r.Video == nil, NoAudio: r.Audio == nil})
			if r.Video != nil {
				if err := rec.Check(0); err != nil || len(rec.Pictures) != r.Frames() {
					t.Errorf("%d pictures of %d, %v", len(rec.Pictures), r.Frames(), err)
				}
			}
			for _, skew := range rec.Skews() {
				if skew.Abs() > 40*time.Millisecond {
					t.Errorf("sound is %v late", skew)
				}
			}
			if r.Audio != nil && len(rec.Beeps) < 5 {
				t.Errorf("%d beeps in %v", len(rec.Beeps), r.Complete().Duration)
			}
			checkSegments(t, dir, r)
			if r.Video != nil {
				checkIFrames(t, dir)
			}
		})
	}
}

// TestRealTransportStreams packages clips as MPEG-TS and has ffmpeg see all of
// them: each segment can be decoded alone, and all of them are one stream.
func TestRealTransportStreams(t *testing.T) {
	for _, c := range []struct{ clip, codecs string }{
		{"h264-b", "avc1.64001E,mp4a.40.2"},
		{"h264-29.97", "avc1.64001E,mp4a.40.2"},
		{"h264-vfr", "avc1.64001E,mp4a.40.2"},
		{"h264-aac-mono", "avc1.64001E,mp4a.40.2"},
		{"h264-mp3", "avc1.64001E,mp4a.6B"},
		{"h264-ac3", "avc1.64001E,ac-3"},
		{"h264-eac3", "avc1.64001E,ec-3"},
		{"aac", "mp4a.40.2"},
	} {
		t.Run(c.clip, func(t *testing.T) {
			clip, r := tools.Clip(t, c.clip)
			dir := filepath.Join(t.TempDir(), "out")
			packageAs(t, Config{Container: TS}, clip, r, dir)
			text, err := os.ReadFile(filepath.Join(dir, "index.m3u8"))
			if err != nil {
				t.Fatal(err)
			}
			m, err := playlist.ParseMultivariant(string(text))
			if err != nil || m.Variants[0].Codecs != c.codecs {
				t.Fatalf("%+v, %v, want %s", m, err, c.codecs)
			}
			rec := tools.MustRead(t, time.Minute, filepath.Join(dir, "index.m3u8"), tools.ReadOptions{NoVideo: r.Video == nil})
			if r.Video != nil {
				if err := rec.Check(0); err != nil || len(rec.Pictures) != r.Frames() {
					t.Errorf("%d pictures of %d, %v", len(rec.Pictures), r.Frames(), err)
				}
				checkIFrames(t, dir)
			}
			for _, skew := range rec.Skews() {
				if skew.Abs() > 40*time.Millisecond {
					t.Errorf("sound is %v late", skew)
				}
			}
			if len(rec.Beeps) < 5 {
				t.Errorf("%d beeps in %v", len(rec.Beeps), r.Complete().Duration)
			}
			checkSegments(t, dir, r)
		})
	}
}

// TestSilenceDecodes takes sound out of clips, within a segment and over some,
// and has ffmpeg decode what is filled in.
func TestSilenceDecodes(t *testing.T) {
	for _, name := range []string{"h264", "h264-aac-mono"} {
		t.Run(name, func(t *testing.T) {
			clip, r := tools.Clip(t, name, func(r *testmedia.Recipe) { r.Duration = 12 * time.Second })
			dir := filepath.Join(t.TempDir(), "out")
			packageVOD(t, clip, r, dir, [2]time.Duration{1500 * time.Millisecond, 2 * time.Second}, [2]time.Duration{4 * time.Second, 9500 * time.Millisecond})
			index := filepath.Join(dir, "index.m3u8")
			out, err := exec.CommandContext(t.Context(), tools.Find(t, "ffmpeg"), "-v", "error", "-i", index, "-f", "null", "-").CombinedOutput()
			if err != nil || len(out) > 0 {
				t.Errorf("ffmpeg: %v: %s", err, out)
			}
			rec := tools.MustRead(t, time.Minute, index, tools.ReadOptions{})
			if gaps := rec.SoundGaps(30 * time.Millisecond); len(gaps) > 0 {
				t.Errorf("holes in the sound: %v", gaps)
			}
			if len(rec.Beeps) < 4 || len(rec.Beeps) > 7 {
				t.Errorf("%d beeps are left", len(rec.Beeps))
			}
			for _, skew := range rec.Skews() {
				if skew.Abs() > 40*time.Millisecond {
					t.Errorf("sound is %v late", skew)
				}
			}
		})
	}
}

// packageVOD makes a presentation of a clip, cut at its keyframes, without the
// sound in mute.
func packageVOD(t *testing.T, clip string, r testmedia.Recipe, dir string, mute ...[2]time.Duration) {
	t.Helper()
	packageAs(t, Config{}, clip, r, dir, mute...)
}

func packageProtected(t *testing.T, prot *Protection, clip string, r testmedia.Recipe, dir string, mute ...[2]time.Duration) {
	t.Helper()
	packageAs(t, Config{Protection: prot}, clip, r, dir, mute...)
}

func packageAs(t *testing.T, cfg Config, clip string, r testmedia.Recipe, dir string, mute ...[2]time.Duration) {
	t.Helper()
	out, err := store.NewOutput(dir)
	if err != nil {
		t.Fatal(err)
	}
	var rs []Rendition
	tracks := map[string][]*media.Packet{}
	for _, kind := range []media.Kind{media.Video, media.Audio} {
		if kind == media.Video && r.Video == nil || kind == media.Audio && r.Audio == nil {
			continue
		}
		_, tracks[kind.String()] = demux(t, clip, r, kind)
		rs = append(rs, Rendition{Name: kind.String(), Kind: kind, Copy: true})
	}
	cfg.VOD, cfg.Output = true, out
	s := newSim(t, cfg, rs...)
	defer s.Close()
	var cuts []media.Cut
	lead := rs[0].Name
	for _, pk := range tracks[lead] {
		rate := pk.Track.ClockRate
		n := len(cuts)
		if n == 0 || pk.Key && media.Duration(pk.PTS-cuts[n-1].PTS, rate) >= 1900*time.Millisecond {
			cuts = append(cuts, media.Cut{Segment: uint64(n), PTS: pk.PTS, ClockRate: rate, Wall: testmedia.Epoch.Add(media.Duration(pk.PTS, rate))})
			if err := s.Cut(cuts[n]); err != nil {
				t.Fatal(err)
			}
		}
		s.put(lead, uint64(len(cuts)-1), 0, pk)
	}
	if lead != "audio" {
		for _, pk := range tracks["audio"] {
			at := media.Duration(pk.PTS, pk.Track.ClockRate)
			if slices.ContainsFunc(mute, func(m [2]time.Duration) bool { return m[0] <= at && at < m[1] }) {
				continue
			}
			n := len(cuts) - 1
			for n > 0 && pk.PTS < media.Rescale(cuts[n].PTS, cuts[n].ClockRate, pk.Track.ClockRate) {
				n--
			}
			s.put("audio", uint64(n), 0, pk)
		}
	}
	if err := s.End(); err != nil {
		t.Fatal(err)
	}
	if len(s.troubles) > 0 {
		t.Errorf("troubles: %q", s.troubles)
	}
}

func checkPromises(t *testing.T, r testmedia.Recipe, v playlist.Variant, p *tools.Probed) {
	t.Helper()
	if s := p.Find("video"); s != nil {
		width, height := r.Size()
		if v.Width != width || v.Height != height {
			t.Errorf("RESOLUTION %dx%d, want %dx%d", v.Width, v.Height, width, height)
		}
		rotation := 0
		if len(s.SideData) > 0 {
			rotation = (360 - s.SideData[0].Rotation) % 360
		}
		rc := r.Complete().Video
		if aspect := fmt.Sprintf("%d:%d", rc.SampleAspectNum, rc.SampleAspectDen); rotation != rc.Rotation || cmp.Or(s.SampleAspect, "1:1") != aspect {
			t.Errorf("rotation %d, sample aspect %s; want %d, %s", rotation, s.SampleAspect, rc.Rotation, aspect)
		}
		if want := rc.Rate.Num * 1000 / rc.Rate.Den; !rc.Variable && v.FrameRate != want {
			t.Errorf("FRAME-RATE %d, want %d", v.FrameRate, want)
		}
		want := map[string]string{"avc1": "h264", "hvc1": "hevc", "vp09": "vp9", "av01": "av1"}[v.Codecs[:4]]
		if s.Codec != want {
			t.Errorf("ffprobe finds %s, CODECS is %s", s.Codec, v.Codecs)
		}
		switch want {
		case "h264":
			if !strings.Contains(v.Codecs, fmt.Sprintf("%02X", s.Level)) {
				t.Errorf("ffprobe finds level %d, CODECS is %s", s.Level, v.Codecs)
			}
		case "hevc":
			if !strings.Contains(v.Codecs, fmt.Sprintf(".L%d.", s.Level)) || s.Tag != "hvc1" {
				t.Errorf("ffprobe finds %s level %d, CODECS is %s", s.Tag, s.Level, v.Codecs)
			}
		}
	}
	if s := p.Find("audio"); s != nil {
		a := r.Complete().Audio
		if s.Codec != a.Codec || s.Channels != a.Channels {
			t.Errorf("ffprobe finds %s with %d channels", s.Codec, s.Channels)
		}
	}
}

// checkSegments demuxes each segment alone, behind its initialization section.
func checkSegments(t *testing.T, dir string, r testmedia.Recipe) {
	t.Helper()
	for _, name := range []string{"video", "audio"} {
		text, err := os.ReadFile(filepath.Join(dir, name, "index.m3u8"))
		if err != nil {
			continue
		}
		m, err := playlist.ParseMedia(string(text))
		if err != nil {
			t.Fatal(err)
		}
		var section []byte
		if first := m.Segments[0].Map; first != nil {
			if section, err = os.ReadFile(filepath.Join(dir, name, first.URI)); err != nil {
				t.Fatal(err)
			}
		}
		var sum time.Duration
		for _, s := range m.Segments {
			b, err := os.ReadFile(filepath.Join(dir, name, s.URI))
			if err != nil {
				t.Fatal(err)
			}
			alone := filepath.Join(t.TempDir(), "alone")
			writeFile(t, alone, append(slices.Clone(section), b...))
			p := tools.MustProbe(t, alone, "-show_packets")
			if len(p.Packets) == 0 || !p.Packets[0].Key() {
				t.Errorf("%s/%s: %d packets, the first is no key", name, s.URI, len(p.Packets))
			}
			sum += s.Duration
		}
		if off := sum - r.Complete().Duration; off.Abs() > 100*time.Millisecond {
			t.Errorf("%s lasts %v, the clip %v", name, sum, r.Complete().Duration)
		}
	}
}

// checkIFrames has ffmpeg play the I-frame playlist: one picture an entry, at
// the time that is burnt into it.
func checkIFrames(t *testing.T, dir string) {
	t.Helper()
	path := filepath.Join(dir, "video", iframesFile)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := playlist.ParseMedia(string(text))
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range tools.MustProbe(t, path, "-show_packets").Packets {
		if !p.Key() {
			t.Errorf("packet %d of the I-frame playlist is no key", i)
		}
	}
	rec := tools.MustRead(t, time.Minute, path, tools.ReadOptions{NoAudio: true})
	if len(rec.Pictures) != len(m.Segments) || rec.Unreadable() > 0 {
		t.Fatalf("%d pictures, %d of them unreadable, in %d entries", len(rec.Pictures), rec.Unreadable(), len(m.Segments))
	}
	var at time.Duration
	for i, seen := range rec.Pictures {
		drawn, shown := seen.Wall.Sub(rec.Pictures[0].Wall), seen.PTS-rec.Pictures[0].PTS
		if off := drawn - at; off.Abs() > 2*time.Millisecond {
			t.Errorf("I-frame %d was drawn at %v, EXTINF says %v", i, drawn, at)
		}
		if off := drawn - shown; off.Abs() > 2*time.Millisecond {
			t.Errorf("I-frame %d was drawn at %v and is shown at %v", i, drawn, shown)
		}
		at += m.Segments[i].Duration
	}
}
