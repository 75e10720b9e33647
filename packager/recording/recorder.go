package recording

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager"
	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/packager/store"
)

// What may wait for the disk: more means that it does not keep up.
const (
	maxWaiting      = 256      // notes
	maxWaitingBytes = 96 << 20 // media, which is kept in memory for so long
)

// diskRest is how long a disk that took no more is left alone. Then a new
// recording begins.
const diskRest = time.Minute

// errSlow says that the disk does not keep up.
var errSlow = errors.New("the disk does not keep up with the stream")

// Recorder records one presentation. It is a packager.Recorder; what it is told
// goes to the disk in a goroutine of its own.
type Recorder struct {
	lib   *Library
	path  string
	queue chan item
	bytes atomic.Int64 // of media in queue
	slow  atomic.Bool  // queue was full

	mu    sync.RWMutex // orders sends against End
	ended bool

	// Owned by run.
	multi   string
	ranges  dateRanges
	cur     *writing
	resumes time.Time // after a failure
}

var _ packager.Recorder = (*Recorder)(nil)

// item is what the goroutine gets.
type item struct {
	multi   []byte
	listed  packager.Listed
	content *store.Reader

	dateRange *playlist.DateRange
}

// Record begins to record a stream. Nothing is on disk before the first
// segment. End must follow.
func (l *Library) Record(path string) *Recorder {
	r := &Recorder{lib: l, path: path, queue: make(chan item, maxWaiting)}
	l.writers.Add(1)
	go func() {
		defer l.writers.Done()
		r.run()
	}()
	return r
}

// Segment implements packager.Recorder.
func (r *Recorder) Segment(l packager.Listed) {
	i := item{listed: l}
	if !l.Gap() {
		if r.bytes.Load() > maxWaitingBytes {
			r.slow.Store(true)
			return
		}
		content, err := l.File.Open()
		if err != nil {
			r.slow.Store(true) // it was removed: the window is shorter than the queue
			return
		}
		i.content = content
		r.bytes.Add(l.Size)
	}
	if !r.send(i) && i.content != nil {
		r.bytes.Add(-l.Size)
		i.content.Release()
	}
}

// Multivariant implements packager.Recorder.
func (r *Recorder) Multivariant(text []byte) { r.send(item{multi: text}) }

// send queues what does not have to wait.
func (r *Recorder) send(i item) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.ended {
		return false
	}
	select {
	case r.queue <- i:
		return true
	default:
		r.slow.Store(true)
		return false
	}
}

// End finishes the recording, in the background: see Library.Close. It may be
// called twice.
func (r *Recorder) End() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ended {
		r.ended = true
		close(r.queue)
	}
}

func (r *Recorder) run() {
	for i := range r.queue {
		if err := r.take(i); err != nil {
			r.fail(err)
		}
		if i.content != nil {
			r.bytes.Add(-i.listed.Size)
			i.content.Release()
		}
	}
	if r.cur != nil {
		r.finish()
	}
}

func (r *Recorder) take(i item) error {
	if r.slow.Swap(false) && r.cur != nil {
		return errSlow
	}
	if i.multi != nil {
		r.multi = string(i.multi)
		if r.cur != nil {
			return r.cur.journal.add(note{Multi: r.multi})
		}
		return nil
	}
	if i.dateRange != nil {
		return r.takeRange(i.dateRange)
	}
	if r.cur == nil {
		if i.content == nil || r.lib.now().Before(r.resumes) {
			return nil
		}
		cur, err := r.lib.begin(r.path, &i.listed, r.multi)
		if err != nil {
			return err
		}
		r.cur = cur
		if err := r.noteRanges(i.listed.Wall); err != nil {
			return err
		}
	}
	return r.cur.add(&i.listed, i.content)
}

// fail ends the recording before its stream does.
func (r *Recorder) fail(err error) {
	r.resumes = r.lib.now().Add(diskRest)
	r.lib.failed(r.path, err)
	if r.cur != nil {
		r.finish()
	}
}

// finish makes playlists of what is there. Where the disk does not take even
// those, the library tries again later.
func (r *Recorder) finish() {
	cur := r.cur
	r.cur = nil
	cur.journal.close()
	if err := r.lib.finish(cur.entry, false); err != nil {
		r.lib.log.Error("a recording is not finished yet", "stream", r.path, "recording", cur.entry.ID, "err", err)
	}
}

// writing is a recording that is being written.
type writing struct {
	entry   *entry
	journal *journal
	inits   map[string]bool // rendition/name of those that are there
	keys    map[string]bool // names of those that are there
}

// add puts a segment into its place, then notes it.
func (w *writing) add(l *packager.Listed, content *store.Reader) error {
	if content != nil {
		if err := w.save(l, content); err != nil {
			return fmt.Errorf("keep segment %d: %w", l.Number, err)
		}
	}
	if err := w.journal.add(note{Segment: noteOf(l, l.Kind == media.Video)}); err != nil {
		return fmt.Errorf("note segment %d: %w", l.Number, err)
	}
	w.entry.grow(l)
	return nil
}

func (w *writing) save(l *packager.Listed, content *store.Reader) error {
	note := noteOf(l, l.Kind == media.Video)
	if name := l.Rendition + "/" + l.Init; !w.inits[name] {
		var err error
		if !note.sectioned() { // it stands in the segments, or there is none
			err = os.MkdirAll(w.entry.folder.of(l.Rendition), 0o755)
		} else {
			err = w.entry.folder.write(name, l.Section)
		}
		if err != nil {
			return err
		}
		w.inits[name] = true
	}
	if err := w.saveKey(l); err != nil {
		return err
	}
	return content.SaveAs(w.entry.folder.of(l.Rendition, note.file()))
}
