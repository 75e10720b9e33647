package rtsp

import (
	"bytes"
	"strings"
	"testing"

	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/sdp"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/media"
)

const cameraSDP = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=No Name\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n" +
	"m=video 0 RTP/AVP 96\r\nb=AS:2500\r\na=rtpmap:96 H264/90000\r\n" +
	"a=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z2QAHqzZQKAv+XDhAAADAAPpAADqYA8WLZY=,aOvjyyLA; profile-level-id=64001E\r\n" +
	"a=framerate:29.97\r\na=control:streamid=0\r\n" +
	"m=audio 0 RTP/AVP 97\r\na=rtpmap:97 MPEG4-GENERIC/48000/2\r\n" +
	"a=fmtp:97 profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3; config=1190\r\na=control:streamid=1\r\n"

func parseSDP(t testing.TB, body []byte) ([]*receiver, []ingest.Unused, error) {
	t.Helper()
	hints, clean := readSDP(body)
	var ssd sdp.SessionDescription
	if err := ssd.Unmarshal(clean); err != nil {
		return nil, nil, err
	}
	var desc description.Session
	if err := desc.Unmarshal(&ssd); err != nil {
		return nil, nil, err
	}
	return receivers(&desc, hints)
}

func TestSDP(t *testing.T) {
	list, unused, err := parseSDP(t, []byte(cameraSDP))
	if err != nil || len(list) != 2 || len(unused) != 0 {
		t.Fatalf("%v, %v, %v", list, unused, err)
	}
	v := list[0].track
	if v.Codec != media.H264 || v.Width != 640 || v.Height != 360 || v.Bitrate != 2_500_000 ||
		v.FrameRate != (media.Rational{Num: 30000, Den: 1001}) || len(v.Config) == 0 {
		t.Errorf("%+v", v)
	}
	if a := list[1].track; a.Codec != media.AAC || a.SampleRate != 48000 || a.Channels != 2 {
		t.Errorf("%+v", a)
	}
}

// Each audio media is a track, in the language that it says first.
func TestSDPWithLanguages(t *testing.T) {
	sound := cameraSDP[strings.Index(cameraSDP, "m=audio"):]
	list, unused, err := parseSDP(t, []byte(cameraSDP+"a=lang:de\r\n"+sound+"a=lang:pt-BR\r\na=lang:en\r\n"+sound+"a=lang:no language\r\n"))
	if err != nil || len(list) != 4 || len(unused) != 0 {
		t.Fatalf("%v, %v, %v", list, unused, err)
	}
	for i, want := range []string{"", "de", "pt-BR", ""} {
		if got := list[i].track; got.Language != want || i > 0 && got.Codec != media.AAC {
			t.Errorf("track %d is %s in %q, want it in %q", i, got, got.Language, want)
		}
	}
}

// Opus is mono unless its sender says otherwise, which only players of the
// original would notice.
func TestSDPOfOpus(t *testing.T) {
	for params, channels := range map[string]int{
		"": 1, "a=fmtp:97 sprop-stereo=1\r\n": 2, "a=fmtp:97 useinbandfec=1; sprop-stereo=1\r\n": 2, "a=fmtp:97 sprop-stereo=0\r\n": 1,
	} {
		list, _, err := parseSDP(t, []byte("v=0\r\ns=x\r\nt=0 0\r\nm=audio 0 RTP/AVP 97\r\na=rtpmap:97 opus/48000/2\r\n"+params))
		if err != nil || list[0].track.Channels != channels {
			t.Errorf("with %q: %v, %v", params, list, err)
		}
	}
}

// Without parameter sets the track waits for those in band.
func TestSDPWithoutSets(t *testing.T) {
	for _, cut := range []string{
		" sprop-parameter-sets=Z2QAHqzZQKAv+XDhAAADAAPpAADqYA8WLZY=,aOvjyyLA;",
		"Z2QAHqzZQKAv+XDhAAADAAPpAADqYA8WLZY=,",
		",aOvjyyLA",
	} {
		list, _, err := parseSDP(t, []byte(strings.Replace(cameraSDP, cut, "", 1)))
		if err != nil || len(list) != 2 {
			t.Fatalf("without %q: %v", cut, err)
		}
		if v := list[0].track; v.Width != 0 || v.Config != nil || v.FrameRate.Num != 30000 {
			t.Errorf("without %q: %+v", cut, v)
		}
	}
}

func TestUnusableTracks(t *testing.T) {
	_, _, err := parseSDP(t, []byte("v=0\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\nm=audio 0 RTP/AVP 98\r\na=rtpmap:98 G726-32/8000\r\nm=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\n"))
	if err == nil || !strings.Contains(err.Error(), "M-JPEG") || !strings.Contains(err.Error(), "G726") || !strings.Contains(err.Error(), "onvif") {
		t.Errorf("error %v", err)
	}
	if statusOf(err) != 415 {
		t.Errorf("status %d", statusOf(err))
	}
	if _, _, err := parseSDP(t, []byte("v=0\r\ns=x\r\nt=0 0\r\n")); statusOf(err) != 415 && err != nil && !strings.Contains(err.Error(), "no media") {
		t.Errorf("empty SDP: %v", err)
	}
	list, unused, err := parseSDP(t, []byte(cameraSDP+"m=video 0 RTP/AVP 26\r\nm=video 0 RTP/AVP 99\r\na=rtpmap:99 H265/90000\r\n"))
	if err != nil || len(list) != 2 || len(unused) != 2 || !strings.Contains(unused[1].String(), "second video") {
		t.Errorf("%d tracks, unused %v, %v", len(list), unused, err)
	}
}

func TestHints(t *testing.T) {
	for in, want := range map[string]media.Rational{
		"25": {Num: 25, Den: 1}, "25.000": {Num: 25, Den: 1}, "29.97": {Num: 30000, Den: 1001},
		"59.94": {Num: 60000, Den: 1001}, "23.976": {Num: 24000, Den: 1001}, "12.5": {Num: 12500, Den: 1000},
		"0": {}, "-1": {}, "NaN": {}, "1e9": {}, "x": {},
	} {
		if got := parseFrameRate(in); got != want {
			t.Errorf("%q: %v, want %v", in, got, want)
		}
	}
}

// FuzzSDP is what an unknown client can make the server parse.
func FuzzSDP(f *testing.F) {
	f.Add([]byte(cameraSDP))
	f.Add([]byte(strings.ReplaceAll(cameraSDP, "sprop-parameter-sets", "sprop-sps")))
	f.Add([]byte("v=0\r\ns=x\r\nt=0 0\r\nm=audio 0 RTP/AVP 96\r\na=rtpmap:96 MP4A-LATM/48000/2\r\na=fmtp:96 cpresent=0; config=400026203fc0\r\n"))
	f.Add([]byte("v=0\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H265/90000\r\na=fmtp:96 sprop-vps=QAEMAf//; sprop-sps=QgEBAWAAAAMAkAAAAwAAAwB4oAKEgC2ckmVlmkkyvAWgIAAAAwAgAAAGQaIA; sprop-pps=RAHBcrRiQA==\r\n"))
	f.Add([]byte("v=0\r\ns=x\r\nt=0 0\r\nm=audio 0 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\nm=audio 0 RTP/AVP 97\r\na=rtpmap:97 L16/44100/2\r\nm=audio 0 RTP/AVP 14 0 8\r\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		_, clean := readSDP(body)
		if bytes.Contains(bytes.ToLower(clean), []byte("sprop-")) {
			t.Fatalf("parameter sets reach the library: %q", clean)
		}
		list, _, err := parseSDP(t, body)
		if err != nil {
			return
		}
		s := ingest.NewStream("x", ingest.StreamOptions{})
		pub, err := s.Attach(ingest.PublisherInfo{}, tracks(list))
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range list {
			r.pub, r.index = pub, i
		}
		s.Close(nil)
	})
}
