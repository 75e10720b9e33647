package recording

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/millrace/millrace/packager"
	"github.com/millrace/millrace/packager/clip"
	"github.com/millrace/millrace/packager/storyboard"
)

// idLayout names a recording by its beginning.
const idLayout = "2006-01-02T15-04-05Z"

// trash is where recordings go that are being removed.
const trash = ".removed"

// ErrNotFound says that there is no such recording.
var ErrNotFound = errors.New("no such recording")

// ErrBusy says that a recording is still being written.
var ErrBusy = errors.New("the recording is still being written")

// Options of a library.
type Options struct {
	Logger *slog.Logger
	// Tell gets events: "recording:started", "recording:finished",
	// "recording:failed", "recording:removed".
	Tell func(kind, path string, data any)
	Now  func() time.Time // nil: time.Now
	// Pictures makes the pictures of storyboards, while a viewer waits for
	// one. Nil means that recordings have none.
	Pictures storyboard.Maker
}

// Library is the folder of all recordings. Its methods may be called by any
// goroutine.
type Library struct {
	dir     string
	log     *slog.Logger
	tell    func(kind, path string, data any)
	now     func() time.Time
	picture storyboard.Maker
	writers sync.WaitGroup

	mu      sync.Mutex
	entries map[string]*entry // by path/id
}

// Recording is one in the list.
type Recording struct {
	Path     string
	ID       string
	Start    time.Time
	Duration time.Duration
	Size     int64
	Writing  bool // it cannot be played yet
}

// entry is a recording in the list; Library.mu guards what changes.
type entry struct {
	Recording
	folder folder
	lib    *Library
	lead   string // the rendition whose segments make the duration
	clips  *clip.Server
	story  *storyboard.Server // nil: none
	broken bool               // it has no playlists yet, and nobody writes it
}

// summary is what recording.json says.
type summary struct {
	Path     string            `json:"path"`
	Start    time.Time         `json:"start"`
	Duration time.Duration     `json:"duration"`
	Size     int64             `json:"size"`
	Keys     map[string]string `json:"keys,omitempty"` // files of keys by the URI in playlists
}

// Open reads what is in a folder, which need not exist, and finishes what a
// killed server left behind.
func Open(dir string, o Options) (*Library, error) {
	l := &Library{dir: dir, log: o.Logger, tell: o.Tell, now: o.Now, picture: o.Pictures, entries: map[string]*entry{}}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	if l.tell == nil {
		l.tell = func(string, string, any) {}
	}
	if l.now == nil {
		l.now = time.Now
	}
	if err := os.RemoveAll(filepath.Join(dir, trash)); err != nil {
		l.log.Warn("removed recordings are still there", "err", err)
	}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && p == dir && errors.Is(err, fs.ErrNotExist):
			return fs.SkipAll
		case err != nil:
			return err
		case !d.IsDir() || !folder(p).recorded():
			return nil
		}
		l.adopt(folder(p))
		return fs.SkipDir
	})
	if err != nil {
		return nil, fmt.Errorf("read recordings: %w", err)
	}
	l.repair()
	return l, nil
}

// adopt takes a recording of an earlier server into the list.
func (l *Library) adopt(f folder) {
	rel, err := filepath.Rel(l.dir, string(f))
	if err != nil {
		return
	}
	streamPath, id := path.Split(filepath.ToSlash(rel))
	e := &entry{Recording: Recording{Path: strings.Trim(streamPath, "/"), ID: id}, folder: f, lib: l, clips: clip.NewServer(), story: l.stories()}
	var s summary
	b, err := os.ReadFile(f.of(summaryFile))
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	e.Start, e.Duration, e.Size = s.Start, s.Duration, s.Size
	e.broken = err != nil || f.has(journalFile) || !f.has(indexFile)
	if e.broken && !f.has(journalFile) {
		l.log.Warn("a recording cannot be read", "folder", string(f))
		return
	}
	e.Writing = e.broken
	l.entries[e.Path+"/"+e.ID] = e
}

// begin makes the folder of a new recording.
func (l *Library) begin(streamPath string, first *packager.Listed, multi string) (*writing, error) {
	above := filepath.Join(l.dir, filepath.FromSlash(streamPath))
	for p := above; len(p) > len(l.dir); p = filepath.Dir(p) {
		if folder(p).recorded() {
			return nil, fmt.Errorf("begin a recording: %s is one itself", p)
		}
	}
	if err := os.MkdirAll(above, 0o755); err != nil {
		return nil, fmt.Errorf("begin a recording: %w", err)
	}
	name := first.Wall.UTC().Format(idLayout)
	id := name
	for n := 2; ; n++ {
		err := os.Mkdir(filepath.Join(above, id), 0o755)
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrExist) || n > 99 {
			return nil, fmt.Errorf("begin a recording: %w", err)
		}
		id = fmt.Sprintf("%s.%d", name, n)
	}
	e := &entry{
		Recording: Recording{Path: streamPath, ID: id, Start: first.Wall, Writing: true},
		folder:    folder(filepath.Join(above, id)), lib: l, lead: first.Rendition,
		clips: clip.NewServer(), story: l.stories(),
	}
	j, err := createJournal(string(e.folder), journalFile, note{
		Path: streamPath, Start: first.Wall.UTC(), Target: int(first.Target / time.Second), Multi: multi,
	})
	if err != nil {
		_ = os.RemoveAll(string(e.folder))
		return nil, err
	}
	l.mu.Lock()
	l.entries[e.Path+"/"+e.ID] = e
	l.mu.Unlock()
	l.log.Info("recording", "stream", streamPath, "recording", id)
	l.tell("recording:started", streamPath, map[string]string{"id": id})
	return &writing{entry: e, journal: j, inits: map[string]bool{}, keys: map[string]bool{}}, nil
}

// grow counts a segment that is there.
func (e *entry) grow(s *packager.Listed) {
	e.lib.mu.Lock()
	defer e.lib.mu.Unlock()
	e.Size += s.Size
	if s.Rendition == e.lead {
		e.Duration += s.Duration
	}
}

// failed tells that a recording ends before its stream does.
func (l *Library) failed(streamPath string, err error) {
	l.log.Error("recording stopped; the stream goes on", "stream", streamPath, "err", err)
	l.tell("recording:failed", streamPath, map[string]string{"reason": err.Error()})
}

// List returns all recordings by path and time.
func (l *Library) List() []Recording {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]Recording, 0, len(l.entries))
	for _, e := range l.entries {
		list = append(list, e.Recording)
	}
	slices.SortFunc(list, func(a, b Recording) int {
		return strings.Compare(a.Path+"/"+a.ID, b.Path+"/"+b.ID)
	})
	return list
}

// get finds a recording by its stream's path and its ID.
func (l *Library) get(streamPath, id string) *entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.entries[streamPath+"/"+id]
}

// Remove deletes a recording that is not being written. Who is being sent a
// segment of it gets the rest.
func (l *Library) Remove(streamPath, id string) error {
	l.mu.Lock()
	e := l.entries[streamPath+"/"+id]
	switch {
	case e == nil:
		l.mu.Unlock()
		return ErrNotFound
	case e.Writing:
		l.mu.Unlock()
		return ErrBusy
	}
	delete(l.entries, streamPath+"/"+id)
	l.mu.Unlock()
	if err := l.erase(e.folder); err != nil {
		l.mu.Lock()
		l.entries[streamPath+"/"+id] = e
		l.mu.Unlock()
		return fmt.Errorf("remove recording: %w", err)
	}
	l.log.Info("recording removed", "stream", streamPath, "recording", id)
	l.tell("recording:removed", streamPath, map[string]string{"id": id})
	return nil
}

// erase takes a folder away by one step, then deletes it, and the folders above
// it that are empty.
func (l *Library) erase(f folder) error {
	bin := filepath.Join(l.dir, trash)
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	gone, err := os.MkdirTemp(bin, "")
	if err != nil {
		return err
	}
	if err := os.Rename(string(f), filepath.Join(gone, "r")); err != nil {
		return err
	}
	if left := os.RemoveAll(gone); left != nil {
		l.log.Warn("a removed recording is still on disk", "err", left)
	}
	_ = os.Remove(bin) // where nothing else is in it
	l.prune(filepath.Dir(string(f)))
	return nil
}

// prune removes a folder, and those above it, as far as they are empty.
func (l *Library) prune(p string) {
	for len(p) > len(l.dir) && os.Remove(p) == nil {
		p = filepath.Dir(p)
	}
}

// Close waits until every recording whose Recorder was ended is finished, or
// ctx ends.
func (l *Library) Close(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		l.writers.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("finish recordings: %w", ctx.Err())
	}
}
