package app_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/internal/pipeline"
)

const door = `
import { on, streams } from 'millrace';
on('publish', async (session) => {
  if (session.path === 'slow') await new Promise(() => {});
  if (session.path === 'challenge') throw Object.assign(new Error('who are you'), { status: 401 });
  if (session.path === 'crash') null.x;
  if (session.path === 'no') return false;
  if (session.query.key !== process.env.KEY) throw new Error('wrong key');
  return { path: 'live/' + session.path, tracks: 'video', ladder: [{ height: 360 }], pipeline: 'p.js' };
});
on('stream:live', (stream) => {
  console.log('told', stream.path, stream.time instanceof Date, streams.list().length);
});
`

func visitor(path, key string) pipeline.Visitor {
	return pipeline.Visitor{
		Path: path, Protocol: "rtsp", IP: "192.0.2.1", Query: url.Values{"key": {key}},
		Tracks: []*media.Track{{Kind: media.Audio, Codec: media.AAC}, {Kind: media.Video, Codec: media.H264}},
	}
}

func TestPublishHook(t *testing.T) {
	r := start(t, door)
	grant, err := r.publish(visitor("cam", "s3cret"))
	if err != nil {
		t.Fatal(err)
	}
	if grant.Path != "live/cam" || len(grant.Tracks) != 1 || grant.Tracks[0] != 1 || grant.Ladder != `[{"height":360}]` ||
		!strings.HasSuffix(grant.Pipeline, "/p.js") {
		t.Errorf("granted %+v", grant)
	}
	if r.Decides(pipeline.AskView) || !r.Decides(pipeline.AskPublish) {
		t.Error("it decides other things than it said")
	}
	for _, c := range []struct {
		path, key, want string
		challenge       bool
	}{
		{"cam", "other", "wrong key", false},
		{"no", "s3cret", "not allowed to publish no", false},
		{"challenge", "", "who are you", true},
		{"crash", "", "TypeError", false},
		{"slow", "", "did not answer within 2s", false},
	} {
		_, err := r.publish(visitor(c.path, c.key))
		var no *pipeline.Refusal
		if !errors.As(err, &no) || no.Challenge != c.challenge || c.path != "crash" && !strings.Contains(no.Reason, c.want) {
			t.Errorf("%s: %v", c.path, err)
		}
	}
	r.server.bus.Send("stream:live", "cam", map[string]string{"reason": ""})
	r.logs("told cam true 0")
}
