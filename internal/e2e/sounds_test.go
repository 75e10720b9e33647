package e2e

import (
	"bytes"
	"fmt"
	"math"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/testmedia"
	"github.com/millrace/millrace/testmedia/browser"
	"github.com/millrace/millrace/testmedia/tools"
)

// publishAll loops a clip with all its tracks. ffmpeg has no RTP of AC-3.
func (s *server) publishAll(path, clip string) *tools.Process {
	s.t.Helper()
	if strings.Contains(clip, "ac3") {
		return tools.Start(s.t, tools.Command{Path: binary, Args: []string{"publish", "--loop", clip, s.rtspURL(path)}})
	}
	return tools.PublishFFmpeg(s.t, tools.Publication{Input: clip, URL: s.rtspURL(path), Loop: true, Options: []string{"-map", "0", "-strict", "experimental"}})
}

const languagesConfig = `{path: "cam", ladder: passthrough, hls: {audioOnly: true, audio: [{track: 1, name: English, language: en}, {track: 2, name: Deutsch, language: de}]}}`

// TestSounds has publishers send several languages, and sound that not every
// player takes: all of it is a choice, and cut at the same places.
func TestSounds(t *testing.T) {
	t.Parallel()
	s := serve(t, `streams: [`+languagesConfig+`, {path: "ts", ladder: passthrough, hls: {container: ts}}, {path: "*", ladder: passthrough}]`)
	long := func(r *testmedia.Recipe) { r.Duration = 60 * time.Second }
	recipes := map[string]testmedia.Recipe{}
	for path, name := range map[string]string{"cam": "h264-languages", "opus": "h264-opus", "ac3": "h264-ac3", "ts": "h264-ac3"} {
		var clip string
		clip, recipes[path] = tools.Clip(t, name, long)
		s.publishAll(path, clip)
	}
	want := map[string][]string{
		"cam": {"audio: English in en, first, by audio", "audio: Deutsch in de, by audio-2", "360p with audio: avc1,mp4a", "audio with audio: mp4a"},
		"opus": {
			"audio: Audio, first, by audio", "audio-opus: Audio, first, by audio-opus",
			"360p with audio: avc1,mp4a", "360p with audio-opus: avc1,opus",
		},
		"ac3": {
			"audio: Audio, first, by audio", "audio-ac3: Audio, first, by audio-ac3",
			"360p with audio: avc1,mp4a", "360p with audio-ac3: avc1,ac-3",
		},
	}
	want["ts"] = want["ac3"]
	for path, lines := range want {
		p := s.live(path, 2)
		t.Run("playlist/"+path, func(t *testing.T) {
			got := soundsOf(p.multi)
			slices.Sort(got)
			slices.Sort(lines)
			if !slices.Equal(got, lines) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(lines, "\n"))
			}
			for i := 1; i < len(p.multi.Variants) && path != "cam"; i++ {
				if v := p.multi.Variants[i]; v.Bandwidth == p.multi.Variants[0].Bandwidth {
					t.Errorf("both variants have %d bits a second, with sounds of different size", v.Bandwidth)
				}
			}
		})
		if path == "ac3" || path == "ts" { // nothing that the others have not
			continue
		}
		t.Run("check/"+path, func(t *testing.T) {
			out, err := exec.CommandContext(t.Context(), binary, "check", "--for", "6s", s.hls(path)).CombinedOutput()
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	for _, path := range []string{"opus", "ts"} {
		t.Run("ffmpeg/"+path, func(t *testing.T) {
			checkFFmpeg(t, s.hls(path), recipes[path])
		})
	}
	t.Run("segments", func(t *testing.T) {
		const frame = 22 * time.Millisecond // of AAC
		p, err := load(s.hls("cam"))
		if err != nil {
			t.Fatal(err)
		}
		english, err := p.download("audio")
		if err != nil {
			t.Fatal(err)
		}
		german, err := p.download("audio-2")
		if err != nil {
			t.Fatal(err)
		}
		starts := map[uint64]time.Duration{}
		for _, seg := range english {
			starts[seg.number] = seg.start
		}
		compared := 0
		for _, seg := range german {
			start, ok := starts[seg.number]
			if !ok {
				continue
			}
			compared++
			if off := seg.start - start; off.Abs() > frame {
				t.Errorf("segment %d begins %v apart in two languages", seg.number, off)
			}
		}
		if compared < 2 {
			t.Errorf("%d segments are in both languages", compared)
		}
	})
	t.Run("sound", func(t *testing.T) {
		for name, heard := range map[string]bool{"audio": false, "audio-2": true} {
			level := toneLevel(t, s.url("/hls/cam/"+name+"/index.m3u8"), testmedia.GermanPitch)
			if (level > 0.01) != heard {
				t.Errorf("%s has %.4f of the German tone", name, level)
			}
		}
	})
	t.Run("DASH", func(t *testing.T) {
		mpd, err := s.get("/dash/cam/manifest.mpd")
		if err != nil {
			t.Fatal(err)
		}
		for _, lang := range []string{"en", "de"} {
			if n := strings.Count(string(mpd), fmt.Sprintf("lang=%q", lang)); n != 1 {
				t.Errorf("%d adaptation sets in %s", n, lang)
			}
		}
	})
	for _, path := range []string{"cam", "opus"} {
		t.Run("GStreamer/"+path, func(t *testing.T) {
			checkGStreamer(t, s.hls(path), recipes[path], 75)
		})
	}
}

// soundsOf says what a multivariant playlist lists, one a line.
func soundsOf(m *playlist.Multivariant) []string {
	var lines []string
	folder := func(uri string) string { return strings.TrimSuffix(uri, "/index.m3u8") }
	for _, r := range m.Renditions {
		line := r.GroupID + ": " + r.Name
		if r.Language != "" {
			line += " in " + r.Language
		}
		if r.Default {
			line += ", first"
		}
		lines = append(lines, line+", by "+folder(r.URI))
	}
	for _, v := range m.Variants {
		var codecs []string
		for c := range strings.SplitSeq(v.Codecs, ",") {
			c, _, _ = strings.Cut(c, ".")
			codecs = append(codecs, c)
		}
		lines = append(lines, folder(v.URI)+" with "+v.Audio+": "+strings.Join(codecs, ","))
	}
	return lines
}

// toneLevel is the amplitude of a tone in two seconds of sound; 1 is full
// scale.
func toneLevel(t *testing.T, url string, pitch float64) float64 {
	t.Helper()
	const rate = 48000
	cmd := exec.CommandContext(t.Context(), tools.Find(t, "ffmpeg"), "-hide_banner", "-loglevel", "error", "-i", url,
		"-t", "2", "-vn", "-ac", "1", "-ar", fmt.Sprint(rate), "-f", "s16le", "-")
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, &complaint)
	}
	var re, im float64
	pcm := out.Bytes()
	n := len(pcm) / 2
	for i := range n {
		v := float64(int16(uint16(pcm[2*i])|uint16(pcm[2*i+1])<<8)) / math.MaxInt16
		sin, cos := math.Sincos(2 * math.Pi * pitch * float64(i) / rate)
		re, im = re+v*cos, im+v*sin
	}
	return 2 * math.Hypot(re, im) / float64(max(n, 1))
}

// listen has the page measure what its video plays, in decibels of full scale
// at a frequency.
const listen = `(() => {
	const ctx = new AudioContext(), ear = ctx.createAnalyser(), video = window.millracePlayer.video;
	ear.fftSize = 4096;
	ear.smoothingTimeConstant = 0;
	ctx.createMediaElementSource(video).connect(ear);
	ear.connect(ctx.destination);
	video.muted = false;
	const bins = new Float32Array(ear.frequencyBinCount);
	window.loudness = (hz) => {
		ear.getFloatFrequencyData(bins);
		return Math.max(-200, bins[Math.round(hz * ear.fftSize / ctx.sampleRate)]);
	};
	return ctx.resume();
})()`

// browserSwitchesLanguages chooses another language in the player's menu: its
// tone is heard, and the picture goes on.
func browserSwitchesLanguages(t *testing.T) {
	s := serve(t, `streams: [`+languagesConfig+`]`)
	clip, _ := tools.Clip(t, "h264-languages", func(r *testmedia.Recipe) { r.Duration = 100 * time.Second })
	s.publishAll("cam", clip)
	s.live("cam", 2)
	reserve(s, "cam")
	page := browser.Open(t, s.url("/watch/cam"))
	page.Eventually(20*time.Second, "the player", "!!window.millracePlayer?.video")
	video := page.Watch("video")
	video.Playing(20 * time.Second)
	page.Eval(listen, nil)
	tone := fmt.Sprintf("window.loudness(%d)", testmedia.GermanPitch)
	page.Eventually(10*time.Second, "the page hears nothing but English", tone+" < -60")
	for _, language := range []struct{ name, heard string }{{"Deutsch", " > -40"}, {"English", " < -60"}, {"Deutsch", " > -40"}} {
		page.Click("#sound")
		item := fmt.Sprintf(`[...document.querySelector('media-audio-track-menu').shadowRoot.querySelectorAll('[role=menuitemradio]')].find((e) => e.textContent.includes(%q))`, language.name)
		page.Eventually(5*time.Second, language.name+" is on the menu", item)
		page.Eval("void "+item+".click()", nil)
		page.Eventually(15*time.Second, language.name+" is heard", tone+language.heard)
		page.Eventually(5*time.Second, language.name+" is chosen on the menu", item+".ariaChecked === 'true'")
	}
	for _, stall := range video.Stalls() {
		t.Errorf("a stall of %.0f ms at %.1f s", stall.Length, stall.Time)
	}
}

// browserChoosesCodec plays sound in several codings, of which Chromium takes
// one or both, without a stall; the quality menu has each picture once.
func browserChoosesCodec(t *testing.T) {
	s := serve(t, "")
	for path, name := range map[string]string{"opus": "h264-opus", "ac3": "h264-ac3"} {
		t.Run(path, func(t *testing.T) {
			clip, _ := tools.Clip(t, name, func(r *testmedia.Recipe) { r.Video.Width, r.Video.Height, r.Duration = 854, 480, 60*time.Second })
			s.publishAll(path, clip)
			s.live(path, 4)
			inReserve(s, path)
			video := watch(t, s, path)
			video.SwitchTo(480, 20*time.Second)
			video.SwitchTo(360, 20*time.Second)
			video.Playing(10 * time.Second)
			for _, stall := range video.Stalls() {
				t.Errorf("a stall of %.0f ms at %.1f s", stall.Length, stall.Time)
			}
		})
	}
}
