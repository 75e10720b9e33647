package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/status"
)

// TestBombsInPipelines has scripts go too far once they have seen a few
// packets: each stream fails with the error and its place in the script, and
// the one beside them loses nothing.
func TestBombsInPipelines(t *testing.T) {
	t.Parallel()
	bombs := map[string]struct{ code, want string }{
		"loop":   {"for (;;) n++;", "without coming back to its event loop"},
		"regexp": {"/(?=a)^(a+)+$/.test('a'.repeat(40) + '!');", "A regular expression took longer"},
		"spread": {"[...Array(1e9)];", "the script"},
		"repeat": {"'x'.repeat(2 ** 40);", "Invalid string length"},
		"memory": {"const all = []; for (;;) all.push({ n });", "the script"},
		"throw":  {"n.no.such;", "Cannot read property"},
		"reject": {"Promise.reject(new Error('lost'));", "lost"},
	}
	dir := t.TempDir()
	config := "streams:\n  - {path: good, hls: {window: 120s}}\n"
	for name, b := range bombs {
		file := filepath.Join(dir, name+".js")
		writeFile(t, file, `import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { hls, ladder } from 'millrace';
export default async function (source) {
  let n = 0;
  const bomb = new Transform({ objectMode: true, transform(packet, _, done) {
    if (++n === 50) {
      `+b.code+`
    }
    done(null, packet);
  } });
  await pipeline(source, bomb, ladder('passthrough'), hls());
}
`)
		config += fmt.Sprintf("  - {path: %s, pipeline: %q}\n", name, file)
	}
	s := serve(t, config)
	clip, recipe := longClip(t)
	s.publish("good", clip)
	s.live("good", 1)
	for name, b := range bombs {
		began := time.Now()
		p := s.publish(name, clip)
		s.eventually(30*time.Second, name+" has failed", func() error {
			st, err := s.stream(name)
			if err == nil && st.State != status.Failed {
				err = fmt.Errorf("it is %s", st.State)
			}
			if err == nil && (!strings.Contains(st.Error, b.want) || !strings.Contains(st.Error, name+".js:8")) {
				t.Errorf("%s failed with %q; want %q at line 8", name, st.Error, b.want)
			}
			return err
		})
		t.Logf("%s took %v", name, time.Since(began).Round(time.Millisecond))
		p.Kill()
	}
	r, _ := s.listed("good", "360p", 3).decode(t, s.live("good", 1).multi.Variants[0])
	if err := r.Check(recipe.Frames()); err != nil {
		t.Errorf("the stream beside them: %v", err)
	}
}
