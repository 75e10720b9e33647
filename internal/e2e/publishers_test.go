package e2e

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/testmedia"
	"github.com/millrace/millrace/testmedia/tools"
)

// publication is one stream of TestPublishers.
type publication struct {
	path      string
	clip      string
	change    func(*testmedia.Recipe)
	length    time.Duration // 6 s; 8 s where GOPs are long
	transport string
	gstreamer bool
	options   []string // of ffmpeg

	// want are the renditions as said by shape, in order.
	want []string
	// switches is how many discontinuities there must be: none, or one where
	// a copy is given up for long GOPs.
	switches int
	// dependent says that the playlists must not promise independent segments.
	dependent bool
}

const (
	aacCopy  = "audio aac copy 48000/2"
	aacCoded = "audio aac 48000/2"
	opusCopy = "audio-opus opus copy 48000/2"
	copied   = "360p h264 copy 640x360"
	coded    = "360p h264 640x360"
)

func turnedUpright(r *testmedia.Recipe) { r.Name, r.Video.Rotation = "upright", 0 }

func withBFrames(r *testmedia.Recipe) { r.Name, r.Video.BFrames = "h264-long-gop-b", 3 }

// publications are what cameras and encoders send. Each is published once, in
// real time, and looked at when all of it is there.
var publications = []publication{
	{path: "tcp", clip: "h264", want: []string{copied, aacCopy}},
	{path: "udp", clip: "h264", transport: "udp", want: []string{copied, aacCopy}},
	{path: "bframes", clip: "h264-b", want: []string{copied, aacCopy}},
	{path: "ntsc", clip: "h264-29.97", want: []string{copied, aacCopy}},
	{path: "vfr", clip: "h264-vfr", want: []string{copied, aacCopy}},
	{path: "h265", clip: "h265-b", want: []string{coded, aacCopy}},
	{path: "h265udp", clip: "h265", transport: "udp", want: []string{coded, aacCopy}},
	{path: "raw/h265", clip: "h265-b", want: []string{"360p h265 copy 640x360", aacCopy}},
	{path: "pcma", clip: "h264-pcma", want: []string{copied, aacCoded}},
	{path: "pcmu", clip: "h264-pcmu", transport: "udp", want: []string{copied, aacCoded}},
	{path: "opus", clip: "h264-opus", want: []string{copied, aacCoded, opusCopy}},
	{path: "mp2", clip: "h264-mp2", want: []string{copied, aacCoded}},
	{path: "mp3", clip: "h264-mp3", want: []string{copied, aacCoded}},
	{path: "mono", clip: "h264-aac-mono", want: []string{copied, "audio aac copy 44100/1"}},
	{path: "surround", clip: "h264-aac-5.1", want: []string{copied, "audio aac copy 48000/6"}},
	{path: "silent", clip: "h264-silent", want: []string{copied}},
	{path: "sound", clip: "aac", want: []string{aacCopy}},
	{path: "sound/opus", clip: "opus", want: []string{aacCoded, opusCopy}},
	{path: "sound/pcmu", clip: "pcmu", want: []string{aacCoded}},
	{path: "long", clip: "h264-long-gop", want: []string{coded, aacCopy}, switches: 1},
	{path: "long/b", clip: "h264-long-gop", change: withBFrames, want: []string{coded, aacCopy}, switches: 1},
	{path: "open", clip: "h264-open-gop", want: []string{coded, aacCopy}, switches: 1},
	{path: "raw/long", clip: "h264-long-gop", want: []string{copied, aacCopy}, dependent: true},
	{path: "raw/long/b", clip: "h264-long-gop", change: withBFrames, want: []string{copied, aacCopy}, dependent: true},
	{path: "interlaced", clip: "h264-interlaced", want: []string{"480p h264 640x480", coded480of576, aacCopy}},
	{path: "tenbit", clip: "h264-10bit", want: []string{coded, aacCopy}},
	{path: "chroma", clip: "h264-422", want: []string{coded, aacCopy}},
	{path: "portrait", clip: "h264-portrait", change: turnedUpright, want: []string{"360p h264 copy 360x640", aacCopy}},
	{path: "4x3", clip: "h264-4x3", want: []string{"288p h264 copy 384x288", aacCopy}},
	{path: "gst/tcp", clip: "h264-b", gstreamer: true, want: []string{copied, aacCopy}},
	{path: "gst/h265", clip: "h265-b", gstreamer: true, want: []string{coded, aacCopy}},
	{path: "gst/udp", clip: "h264", gstreamer: true, transport: "udp", want: []string{copied, aacCopy}},
	{path: "gst/opus", clip: "opus", gstreamer: true, want: []string{aacCoded, opusCopy}},
	{path: "vp9", clip: "vp9", options: []string{"-strict", "experimental"}, want: []string{coded, aacCoded, opusCopy}},
}

const coded480of576 = "360p h264 480x360"

// TestPublishers has all of them publish to one server.
func TestPublishers(t *testing.T) {
	t.Parallel()
	s := serve(t, `streams:
  - {path: "raw/*", ladder: passthrough, hold: 1s, hls: {window: 180s}}
  - {path: "*", hold: 1s, hls: {window: 180s}}`)
	for wave := range slices.Chunk(publications, 16) {
		publishers := make([]*tools.Process, len(wave))
		recipes := make([]testmedia.Recipe, len(wave))
		for i, p := range wave {
			publishers[i], recipes[i] = p.start(t, s)
		}
		for i, p := range wave {
			t.Run(p.path, func(t *testing.T) { p.check(t, s, publishers[i], recipes[i]) })
		}
	}
}

// start publishes the clip, cut to what is needed of it.
func (p publication) start(t *testing.T, s *server) (*tools.Process, testmedia.Recipe) {
	t.Helper()
	clip, recipe := tools.Clip(t, p.clip, func(r *testmedia.Recipe) {
		if p.change != nil {
			p.change(r)
		}
		usual := 6 * time.Second
		if p.switches > 0 || p.dependent {
			usual = 8 * time.Second
		}
		r.Duration = cmp.Or(p.length, usual)
	})
	publication := tools.Publication{Input: clip, URL: s.rtspURL(p.path), Transport: p.transport, Options: p.options}
	if p.gstreamer {
		return tools.PublishGStreamer(t, publication, recipe), recipe
	}
	return tools.PublishFFmpeg(t, publication), recipe
}

// check waits until all has been published and looks at what became of it.
func (p publication) check(t *testing.T, s *server, publisher *tools.Process, recipe testmedia.Recipe) {
	p.wait(t, publisher, recipe.Duration)
	s.eventually(20*time.Second, "the stream has ended", s.inState(p.path, status.Ended))
	st, err := s.stream(p.path)
	if err != nil {
		t.Fatal(err)
	}
	if got := shape(st); !slices.Equal(got, p.want) {
		t.Errorf("renditions are %q, want %q", got, p.want)
	}
	pres, err := load(s.hls(p.path))
	if err != nil {
		t.Fatal(err)
	}
	if pres.multi.IndependentSegments == p.dependent {
		t.Errorf("INDEPENDENT-SEGMENTS is %t", pres.multi.IndependentSegments)
	}
	for name, m := range pres.media {
		if !m.EndList {
			t.Errorf("%s: no ENDLIST", name)
		}
		if n := discontinuities(m); n != p.switches {
			t.Errorf("%s: %d discontinuities, want %d", name, n, p.switches)
		}
		if i := slices.IndexFunc(m.Segments, func(s playlist.Segment) bool { return s.Gap }); i >= 0 {
			t.Errorf("%s: segment %d is a GAP", name, i)
		}
	}
	recipe = recipe.Complete()
	frame := 25 * time.Millisecond
	if recipe.Video != nil {
		frame = recipe.Video.Rate.Time(1) + time.Millisecond
		if recipe.Video.Variable {
			frame *= 3
		}
	}
	pres.checkSegments(t, frame, !p.dependent)
	for _, v := range pres.multi.Variants {
		checkCodecs(t, pres, v)
		r, holes := pres.decode(t, v)
		// GStreamer's first sender report comes when sound flows already; by
		// it the sound is moved, once.
		if n := len(holes); n > 1 || n > 0 && !p.gstreamer {
			t.Errorf("%s: the sound has holes: %v", v.URI, holes)
		}
		if p.usesVideo() {
			p.checkVariant(t, v, r, recipe)
		} else {
			p.checkSound(t, r, recipe)
		}
	}
}

// wait waits until the clip has been published.
func (p publication) wait(t *testing.T, publisher *tools.Process, length time.Duration) {
	t.Helper()
	within := time.Minute
	if p.gstreamer {
		within = length + 3*time.Second
	}
	ended := publisher.Ends(within)
	if !ended && !p.gstreamer {
		t.Fatal("the publisher does not come to its end")
	}
	if !ended {
		return // as often as not rtspclientsink does not see the end of its clip
	}
	err := publisher.Wait()
	if p.gstreamer && strings.Contains(publisher.Output(), "EOS received") {
		return // what rtspclientsink makes of the end of the connection after its TEARDOWN is its own affair
	}
	if err != nil {
		t.Fatal(err)
	}
}

// usesVideo reports whether there is a picture among what is expected.
func (p publication) usesVideo() bool { return !strings.HasPrefix(p.want[0], "audio") }

func (p publication) checkVariant(t *testing.T, v playlist.Variant, r *tools.Recording, recipe testmedia.Recipe) {
	t.Helper()
	if err := r.Check(0); err != nil {
		t.Errorf("%s: %v", v.URI, err)
	}
	late := 0 // frames that TEARDOWN overtakes: over UDP it comes by another way
	if p.transport == "udp" {
		late = 5
	}
	if frames := r.Frames(); len(frames) > 0 && (frames[0] != 0 || len(frames) < recipe.Frames()-late) {
		t.Errorf("%s: %d frames from %d on, published were %d", v.URI, len(frames), frames[0], recipe.Frames())
	}
	if recipe.Audio != nil {
		limit := maxSkew
		if p.gstreamer {
			limit = 100 * time.Millisecond // until its first sender report all there is to go by is how packets arrive
		}
		checkSkews(t, v.URI, r, int(recipe.Duration/time.Second)-2, limit)
	}
}

// maxSkew is how far sound and picture may be apart.
const maxSkew = 40 * time.Millisecond

// checkSkews wants sound and picture to be within the limit of each other, and
// comparable in at least so many places.
func checkSkews(t testing.TB, what string, r *tools.Recording, least int, limit time.Duration) {
	t.Helper()
	skews := r.Skews()
	if len(skews) < least {
		t.Errorf("%s: %d beeps could be compared with pictures", what, len(skews))
	}
	for _, skew := range skews {
		if skew.Abs() > limit {
			t.Errorf("%s: the sound is %v late: %v", what, skew, skews)
			break
		}
	}
}

// checkSound looks for a beep each second.
func (p publication) checkSound(t *testing.T, r *tools.Recording, recipe testmedia.Recipe) {
	t.Helper()
	if len(r.Beeps) < int(recipe.Duration/time.Second)-1 {
		t.Errorf("%d beeps in %v", len(r.Beeps), recipe.Duration)
	}
	for i := 1; i < len(r.Beeps); i++ {
		a, b := r.Beeps[i-1], r.Beeps[i]
		if off := b.PTS - a.PTS - time.Second; off.Abs() > 5*time.Millisecond || b.Second != a.Second+1 {
			t.Errorf("beep %d comes %v late behind beep %d", b.Second, off, a.Second)
		}
	}
}

// shape is a line for each rendition that viewers are offered.
func shape(st status.Stream) []string {
	var list []string
	for _, r := range st.Renditions {
		line := r.Name + " " + r.Codec
		if r.Copy {
			line += " copy"
		}
		if r.Kind == "video" {
			line += fmt.Sprintf(" %dx%d", r.Width, r.Height)
		} else {
			line += fmt.Sprintf(" %d/%d", r.SampleRate, r.Channels)
		}
		list = append(list, line)
	}
	return list
}

// checkCodecs compares CODECS with what ffprobe finds in the segments.
func checkCodecs(t *testing.T, p *presentation, v playlist.Variant) {
	t.Helper()
	names := []string{path.Dir(v.URI)}
	for _, r := range p.multi.Renditions {
		if r.GroupID == v.Audio {
			names = append(names, path.Dir(r.URI))
		}
	}
	var found []string
	for _, name := range names {
		for _, file := range p.save(t, name) {
			for _, stream := range tools.MustProbe(t, file).Streams {
				found = append(found, codecOf(stream))
			}
		}
	}
	var said []string
	for _, c := range strings.Split(v.Codecs, ",") {
		said = append(said, shortCodec(c))
	}
	slices.Sort(found)
	slices.Sort(said)
	if found = slices.Compact(found); !slices.Equal(found, said) {
		t.Errorf("%s: CODECS is %q, ffprobe finds %q", v.URI, v.Codecs, found)
	}
}

// profiles are their numbers by FFmpeg's names.
var profiles = map[string]int{
	"Constrained Baseline": 66, "Baseline": 66, "Main": 77, "High": 100, "High 10": 110, "High 4:2:2": 122,
	"LC": 2, "HE-AAC": 5, "HE-AACv2": 29,
}

// codecOf says codec, profile and level of what ffprobe found, as shortCodec
// does.
func codecOf(s tools.ProbedStream) string {
	switch s.Codec {
	case "h264":
		return fmt.Sprintf("avc1 %d %d", profiles[s.Profile], s.Level)
	case "hevc":
		return fmt.Sprintf("hvc1 %d %d", cmp.Or(map[string]int{"Main": 1, "Main 10": 2}[s.Profile], -1), s.Level)
	case "aac":
		return fmt.Sprintf("mp4a %d", profiles[s.Profile])
	}
	return s.Codec
}

// shortCodec leaves of an RFC 6381 name what ffprobe tells too.
func shortCodec(name string) string {
	var a, b, c int
	if _, err := fmt.Sscanf(name, "avc1.%02x%02x%02x", &a, &b, &c); err == nil {
		return fmt.Sprintf("avc1 %d %d", a, c)
	}
	if n, _ := fmt.Sscanf(name, "hvc1.%d.%x.L%d", &a, &b, &c); n == 3 {
		return fmt.Sprintf("hvc1 %d %d", a, c)
	}
	if _, err := fmt.Sscanf(name, "mp4a.40.%d", &a); err == nil {
		return fmt.Sprintf("mp4a %d", a)
	}
	return name
}
