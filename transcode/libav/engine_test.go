package libav

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode"
)

var engine = struct{ Engine }{}

// packetsOf opens a file by the engine and reads it to its end.
func packetsOf(t testing.TB, path string) ([]*media.Track, []*media.Packet) {
	t.Helper()
	in, err := engine.Open(t.Context(), path, transcode.InputOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var all []*media.Packet
	for {
		p, err := in.Read(t.Context())
		if errors.Is(err, io.EOF) {
			return in.Tracks(), all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// framesOf decodes a track; the frames are closed when the test ends.
func framesOf(t testing.TB, track *media.Track, packets []*media.Packet) []transcode.Frame {
	t.Helper()
	d, err := engine.Decoder(track, transcode.CoderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var all []transcode.Frame
	take := func(f transcode.Frame) error {
		all = append(all, f)
		t.Cleanup(f.Close)
		return nil
	}
	for _, p := range append(packets[:len(packets):len(packets)], nil) {
		if p != nil && p.Track.ID != track.ID {
			continue
		}
		if err := d.Decode(p, take); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// encode codes frames and returns the packets.
func encode(t testing.TB, o transcode.CoderOptions, frames []transcode.Frame) []*media.Packet {
	t.Helper()
	e, err := engine.Encoder(o)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	var all []*media.Packet
	take := func(p *media.Packet) error {
		all = append(all, p)
		return nil
	}
	for _, f := range frames {
		if err := e.Encode(f, false, take); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Encode(nil, false, take); err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("no packets")
	}
	return all
}

// mux writes a container into a file.
func mux(t testing.TB, name string, o transcode.MuxerOptions, rows ...[]*media.Packet) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	writeTo(t, file, o, rows...)
	return path
}

func writeTo(t testing.TB, w io.Writer, o transcode.MuxerOptions, rows ...[]*media.Packet) {
	t.Helper()
	var tracks []*media.Track
	order := newInterleaver(len(rows))
	for i, row := range rows {
		track := numbered(row[0].Track, i)
		tracks = append(tracks, track)
		for _, p := range row {
			q := *p
			q.Track = track
			order.add(i, &q)
		}
	}
	m, err := engine.Muxer(w, tracks, o)
	if err != nil {
		t.Fatal(err)
	}
	for p := order.next(true); p != nil; p = order.next(true) {
		if err := m.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
}

// source is the clip that most tests here begin with: two seconds at 25
// pictures a second, with a tone.
func source(t testing.TB) (video, audio []transcode.Frame) {
	t.Helper()
	path := clip(t, "a.mp4", append(lavfi(picture, tone), "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac")...)
	tracks, packets := packetsOf(t, path)
	return framesOf(t, tracks[0], packets), framesOf(t, tracks[1], packets)
}

func TestEveryUsualCoder(t *testing.T) {
	video, audio := source(t)
	if len(video) != 50 {
		t.Fatalf("%d pictures", len(video))
	}
	small := make([]transcode.Frame, 10)
	for i := range small {
		var err error
		if small[i], err = video[i].Scale(160, 90, ""); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(small[i].Close)
	}
	for _, c := range []struct {
		coder, container string
		codec            media.Codec
		options          map[string]string
		config           bool
	}{
		{"h264", "mp4", media.H264, map[string]string{"preset": "ultrafast"}, true},
		{"libx264", "matroska", media.H264, nil, true},
		{"libx264", "mpegts", media.H264, nil, true},
		{"libx264", "flv", media.H264, nil, true},
		{"libx265", "mp4", media.H265, map[string]string{"preset": "ultrafast"}, true},
		{"libvpx-vp9", "webm", media.VP9, map[string]string{"deadline": "realtime", "cpu-used": "8"}, false},
		{"libsvtav1", "mp4", media.AV1, map[string]string{"preset": "12"}, true},
		{"mpeg4", "mp4", "mpeg4", nil, true},
		{"mjpeg", "avi", "mjpeg", nil, false},
		{"png", "matroska", "png", nil, false},
		{"ffv1", "matroska", "ffv1", nil, false},
		{"gif", "gif", "gif", nil, false},
		{"aac", "mp4", media.AAC, nil, true},
		{"aac", "adts", media.AAC, nil, true},
		{"libopus", "webm", media.Opus, nil, true},
		{"flac", "flac", "flac", nil, true},
		{"ac3", "mpegts", media.AC3, nil, false},
		{"pcm_s16le", "wav", "pcm_s16le", nil, false},
		{"lpcm", "mov", media.LPCM, nil, false},
		{"pcma", "wav", media.PCMA, nil, false},
	} {
		t.Run(c.coder+" in "+c.container, func(t *testing.T) {
			frames, kind := small, media.Video
			if codec, err := findEncoder(c.coder); err != nil || !isVideo(codec) {
				frames, kind = audio, media.Audio
			}
			packets := encode(t, transcode.CoderOptions{Codec: c.coder, Options: c.options}, frames)
			track := packets[0].Track
			if track.Codec != c.codec || track.Kind != kind || (track.Config != nil) != c.config {
				t.Errorf("track %+v", track)
			}
			if kind == media.Video && (len(packets) != len(frames) || !packets[0].Key) {
				t.Errorf("%d packets of %d pictures", len(packets), len(frames))
			}
			path := mux(t, "a."+c.container, transcode.MuxerOptions{Format: c.container}, packets)
			tracks, back := packetsOf(t, path)
			if tracks[0].Codec != c.codec {
				t.Errorf("read back as %s", tracks[0])
			}
			if c.codec == media.AV1 && !bytes.Equal(tracks[0].Config[:4], track.Config[:4]) {
				t.Errorf("av1C %x, read back as %x", track.Config, tracks[0].Config)
			}
			got := framesOf(t, tracks[0], back)
			n, want := 0, 0
			for _, f := range frames {
				want += max(f.Samples(), 1)
			}
			for _, f := range got {
				n += max(f.Samples(), 1)
			}
			if tracks[0].SampleRate == 48000 && kind == media.Audio { // Opus
				want = want * 480 / 441
			}
			if n < want || kind == media.Video && n != want || n > want+6000 {
				t.Errorf("%d pictures or samples came back of %d", n, want)
			}
		})
	}
}

func TestPlainMP4WantsAFile(t *testing.T) {
	video, audio := source(t)
	v := encode(t, transcode.CoderOptions{Codec: "libx264", Options: map[string]string{"preset": "ultrafast"}}, video)
	a := encode(t, transcode.CoderOptions{Codec: "aac"}, audio)
	var fragments bytes.Buffer
	writeTo(t, &fragments, transcode.MuxerOptions{Format: "mp4"}, v, a)
	plain, err := os.ReadFile(mux(t, "a.mp4", transcode.MuxerOptions{Format: "mp4"}, v, a))
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		file []byte
		moof bool
	}{"to a stream": {fragments.Bytes(), true}, "to a file": {plain, false}} {
		if bytes.Contains(c.file, []byte("moof")) != c.moof {
			t.Errorf("%s: moof is %v", what, !c.moof)
		}
		path := filepath.Join(t.TempDir(), "back.mp4")
		if err := os.WriteFile(path, c.file, 0o600); err != nil {
			t.Fatal(err)
		}
		tracks, packets := packetsOf(t, path)
		if n := len(framesOf(t, tracks[0], packets)); n != len(video) || len(tracks) != 2 {
			t.Errorf("%s: %d pictures, %d tracks", what, n, len(tracks))
		}
	}
}
