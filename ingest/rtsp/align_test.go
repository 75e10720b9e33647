package rtsp

import (
	"testing"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/media"
)

// ffmpeg's sender reports say that both tracks began at the same moment (the
// AAC encoder's priming is 1024 samples before it).
func TestAlignsByFirstReports(t *testing.T) {
	s := ingest.NewStream("cam", ingest.StreamOptions{})
	_, url := startServer(t, Config{}, &fakeGate{streams: map[string]*ingest.Stream{"cam": s}})
	got := make(chan [2][]*media.Packet)
	go func() {
		v, a := collect(t, s, 30, 40)
		got <- [2][]*media.Packet{v, a}
	}()
	ffmpeg(t, camera("-c:v", "libx264", "-preset", "veryfast", "-g", "25", "-c:a", "aac",
		"-f", "rtsp", "-rtsp_transport", TCP, url+"/cam")...)
	r := <-got
	v, a := r[0][0], r[1][0]
	start := media.Duration(v.PTS, 90000)
	for _, p := range r[0][:3] {
		t.Logf("video %v %v arrival %v", media.Duration(p.PTS, 90000), media.Duration(p.DTS, 90000), p.Arrival)
	}
	for _, p := range r[1][:3] {
		t.Logf("audio %v arrival %v", media.Duration(p.PTS, 48000), p.Arrival)
	}
	d := media.Duration(a.PTS, 48000) - start
	t.Logf("audio begins %v after video; skew %v repairs %+v", d, s.Stats().Skew, s.Stats().Repairs)
}
