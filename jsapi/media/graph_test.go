package media_test

import (
	"testing"

	"github.com/millrace/millrace/jsapi/media"
)

func TestJoined(t *testing.T) {
	e := &standIn{}
	got, err := run(t, media.Options{Engine: e, Source: newClip(6)}, `
		import { pipeline } from 'node:stream/promises';
		import { decode, filter, encode, mux } from 'millrace';
		export default async function (source) {
			console.log(source.tracks.map((t) => t.kind + ' ' + t.codec).join());
			const out = [];
			await pipeline(source.video, decode(), filter('null'), encode({ codec: 'libx264' }), mux('mp4'), async (bytes) => {
				for await (const b of bytes) out.push(b);
			});
			console.log(Buffer.concat(out).toString());
		}`)
	want := "video h264,audio aac\n1:video:0:p0\n1:video:3600:p2\n1:video:7200:p4\nend\n\n"
	if err != nil || got != want {
		t.Errorf("got %q, want %q; error %v", got, want, err)
	}
	if n := e.open.Load(); n != 0 {
		t.Errorf("%d frames were not closed", n)
	}
}
