package store

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// tree lists the files below a folder.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			out = append(out, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

func fill(t *testing.T, o *Output, names ...string) {
	t.Helper()
	for _, n := range names {
		if err := o.WriteFile(n, []byte("new "+n)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOutputPublish(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "out")
	o, err := NewOutput(dir)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, o, "720p/1.m4s", "720p/index.m3u8", "index.m3u8")
	for _, name := range tree(t, dir) {
		if name[0] != '.' {
			t.Errorf("%s is visible before the end", name)
		}
	}
	if err := o.Publish("index.m3u8"); err != nil {
		t.Fatal(err)
	}
	if got, want := tree(t, dir), []string{"720p/1.m4s", "720p/index.m3u8", "index.m3u8"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if err := o.Discard(); err != nil {
		t.Fatal(err)
	}
}

func TestOutputReplaces(t *testing.T) {
	dir := t.TempDir()
	for _, f := range []string{"index.m3u8", "720p/index.m3u8", "720p/9.m4s", "720p/init-1.mp4", "720p/mine.txt", "notes.txt"} {
		path := filepath.Join(dir, f)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o, err := NewOutput(dir)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, o, "720p/1.m4s", "720p/index.m3u8", "index.m3u8")
	if err := o.Publish("index.m3u8"); err != nil {
		t.Fatal(err)
	}
	want := []string{"720p/1.m4s", "720p/index.m3u8", "720p/mine.txt", "index.m3u8", "notes.txt"}
	if got := tree(t, dir); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if b, _ := os.ReadFile(filepath.Join(dir, "index.m3u8")); string(b) != "new index.m3u8" {
		t.Errorf("index.m3u8 is %q", b)
	}
}

func TestOutputDiscard(t *testing.T) {
	root := t.TempDir()
	o, err := NewOutput(filepath.Join(root, "a", "b"))
	if err != nil {
		t.Fatal(err)
	}
	fill(t, o, "720p/1.m4s")
	if err := o.Discard(); err != nil {
		t.Fatal(err)
	}
	waitGone(t, filepath.Join(root, "a"))
}

func TestOutputAfterKill(t *testing.T) {
	dir := t.TempDir()
	o, err := NewOutput(dir)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, o, "720p/1.m4s")
	// While it is being made, another run leaves it alone.
	second, err := NewOutput(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(o.staging); err != nil {
		t.Error("a run under way was removed")
	}
	if err := second.Discard(); err != nil {
		t.Fatal(err)
	}
	o.lock.Close() // what the kernel does for a process that is killed
	third, err := NewOutput(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer third.Discard()
	waitGone(t, o.staging)
}

func TestOutputUnwritable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "below"), "/proc/nowhere"} {
		if o, err := NewOutput(dir); err == nil {
			_ = o.Discard()
			t.Errorf("%s: no error", dir)
		} else {
			t.Log(err)
		}
	}
}

// Renditions of the presentation before go, somebody's own files stay.
func TestOutputSupersedes(t *testing.T) {
	dir := t.TempDir()
	first, err := NewOutput(dir)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, first, "720p/1.m4s", "720p/init-a.mp4", "720p/index.m3u8", "480p/1.m4s", "480p/2.ts", "480p/iframes.m3u8", "480p/notes.txt", "index.m3u8")
	if err := first.Publish("index.m3u8"); err != nil {
		t.Fatal(err)
	}
	second, err := NewOutput(dir)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := second.Existing("index.m3u8"); err != nil || string(text) != "new index.m3u8" {
		t.Errorf("%q, %v", text, err)
	}
	second.Supersede("720p", "480p", "360p", "..", ".", "", "../"+filepath.Base(dir), ".hidden")
	fill(t, second, "360p/7.m4s", "index.m3u8")
	if err := second.Publish("index.m3u8"); err != nil {
		t.Fatal(err)
	}
	if got, want := tree(t, dir), []string{"360p/7.m4s", "480p/notes.txt", "index.m3u8"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if _, err := os.Stat(filepath.Join(dir, "720p")); !os.IsNotExist(err) {
		t.Error("an empty folder stays")
	}
}
