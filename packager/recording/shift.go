package recording

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager"
	"github.com/millrace/millrace/packager/protect"
	"github.com/millrace/millrace/packager/store"
)

const (
	// newJournal is a journal before it takes the place of the one before.
	newJournal = "journal.new"

	// staleNotes is how many lines of a journal may be about segments that are
	// gone, beside as many as are about those that are there.
	staleNotes = 1000

	// maxMissing is how many segments may be missing between what a past has
	// and what viewers have seen.
	maxMissing = 16
)

// Shifts is the folder of the media that viewers can seek back in: a folder for
// each stream, with a journal, so that the next server goes on with it.
type Shifts struct {
	dir string
	log *slog.Logger
	now func() time.Time

	mu      sync.Mutex
	open    map[folder]bool
	expires map[folder]time.Time // as its journal says, of those that nobody has open
}

// OpenShifts uses a folder, which need not exist, and removes from it what
// nobody can want any more.
func OpenShifts(dir string, log *slog.Logger) *Shifts {
	s := &Shifts{dir: dir, log: log, now: time.Now, open: map[folder]bool{}, expires: map[folder]time.Time{}}
	s.Tidy()
	return s
}

// folderOf is where a stream's time shift lies. A path has no plus sign. There
// are several where a stream began while its predecessor was still seen.
func (s *Shifts) folderOf(path string, n int) folder {
	name := strings.ReplaceAll(path, "/", "+")
	if n > 1 {
		name += "~" + strconv.Itoa(n)
	}
	return folder(filepath.Join(s.dir, name))
}

// Open takes up the time shift of a stream, or begins it, for as far back as
// reach. Segments below the number seen were listed before, whatever the
// journal says; 0 where that is not known.
func (s *Shifts) Open(path string, reach time.Duration, seen uint64) (*Shift, error) {
	for n := 1; n <= 8; n++ {
		f := s.folderOf(path, n)
		s.mu.Lock()
		taken := s.open[f]
		s.open[f] = true
		delete(s.expires, f)
		s.mu.Unlock()
		if taken {
			continue
		}
		shift, err := s.take(f, path, reach, seen)
		if err != nil {
			s.leave(f)
		}
		if errors.Is(err, errBusy) { // another server
			continue
		}
		return shift, err
	}
	return nil, fmt.Errorf("time shift of %s: its folders are in use", path)
}

func (s *Shifts) leave(f folder) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, f)
}

func (s *Shifts) take(f folder, path string, reach time.Duration, seen uint64) (*Shift, error) {
	disk, err := store.NewDisk(string(f))
	if err != nil {
		return nil, err
	}
	shift := &Shift{Disk: disk, shifts: s, folder: f, path: path, reach: reach, notes: map[string][]segmentNote{}, inits: map[string]bool{}, keys: map[string]keyNote{}}
	c, release, err := readJournal(string(f))
	switch {
	case err == nil:
		defer release()
		shift.adopt(c, seen)
		shift.dropKeys()
		shift.sweep()
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	if err := shift.rewrite(); err != nil {
		return nil, fmt.Errorf("begin time shift of %s: %w", path, err)
	}
	return shift, nil
}

// Tidy removes time shift that reaches back further than it was meant to, with
// nobody to go on with it. It is to be called from time to time.
func (s *Shifts) Tidy() {
	entries, _ := os.ReadDir(s.dir) // what cannot be read is not removed
	for _, e := range entries {
		f := folder(filepath.Join(s.dir, e.Name()))
		s.mu.Lock()
		wait := s.open[f] || s.now().Before(s.expires[f])
		s.mu.Unlock()
		if !wait && e.IsDir() {
			s.expire(f)
		}
	}
}

// expire removes a folder if it is too old, or remembers when it will be.
func (s *Shifts) expire(f folder) {
	c, release, err := readJournal(string(f))
	if err != nil {
		return
	}
	defer release()
	expires := c.newest().Add(c.reach)
	s.mu.Lock()
	keep := s.open[f] || s.now().Before(expires)
	if keep {
		s.expires[f] = expires
	} else {
		s.open[f] = true // nobody may take it up now
		delete(s.expires, f)
	}
	s.mu.Unlock()
	if keep {
		return
	}
	defer s.leave(f)
	if err := os.RemoveAll(string(f)); err != nil {
		s.log.Warn("old time shift is still on disk", "err", err)
	}
}

// newest is when the media ends.
func (c *chronicle) newest() time.Time {
	newest := c.start
	for i := range c.segments {
		if end := c.segments[i].end(); end.After(newest) {
			newest = end
		}
	}
	return newest
}

// end is the wall clock's time at its end.
func (s *segmentNote) end() time.Time { return s.Wall.Add(s.Duration) }

// Shift is the time shift of one stream: the store of its segments, and the
// Recorder that notes which of them are listed.
type Shift struct {
	*store.Disk

	shifts *Shifts
	folder folder
	path   string
	reach  time.Duration

	mu      sync.Mutex
	journal *journal
	lines   int
	notes   map[string][]segmentNote // by rendition: what is there, in order
	inits   map[string]bool          // rendition/name of those that are there
	keys    map[string]keyNote       // by name: of notes, and perhaps some more
	ranges  dateRanges
	failed  bool
}

var (
	_ store.Store       = (*Shift)(nil)
	_ packager.Recorder = (*Shift)(nil)
)

// Last are the newest numbers of the past, and whether there is one.
func (s *Shift) Last() (segment, discontinuity uint64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, list := range s.notes {
		last := &list[len(list)-1]
		return last.Number, last.Discontinuity, true
	}
	return 0, 0, false
}

// Past is what an earlier server, or an earlier life of the stream, left.
func (s *Shift) Past() map[string][]packager.Listed {
	s.mu.Lock()
	defer s.mu.Unlock()
	past, known := map[string][]packager.Listed{}, map[string]*protect.Key{}
	for name, list := range s.notes {
		sections := map[string][]byte{}
		for i := range list {
			n := &list[i]
			l := packager.Listed{
				Rendition: name, Kind: media.Audio, Number: n.Number, Discontinuity: n.Discontinuity,
				Duration: n.Duration, Wall: n.Wall,
			}
			switch {
			case n.Video:
				l.Kind = media.Video
			case n.Text:
				l.Kind = media.Text
			}
			if n.TS {
				l.Container = packager.TS
			}
			if !n.gap() {
				file, section := s.existing(n, sections)
				if file == nil || !s.unlock(&l, n.Key, known) {
					past[name] = past[name][:0] // what is before it cannot be listed
					continue
				}
				l.Init, l.Section, l.File, l.Size, l.IFrame = n.Init, section, file, n.Size, n.IFrame
			}
			past[name] = append(past[name], l)
		}
	}
	return past
}

// existing opens a segment and its initialization section; nil where one of
// them is gone.
func (s *Shift) existing(n *segmentNote, sections map[string][]byte) (*store.File, []byte) {
	section := sections[n.Init]
	if section == nil {
		var err error
		if section, err = os.ReadFile(s.folder.of(n.Rendition, n.Init)); err != nil {
			return nil, nil
		}
		sections[n.Init] = section
	}
	file, err := s.Existing(n.Rendition+"/"+n.file(), n.Size)
	if err != nil {
		return nil, nil
	}
	return file, section
}

// adopt takes over what a journal tells, as far as it can go on: of each
// rendition the newest segments without a hole, none older than the reach, all
// ending with the same number. That is one above the newest one noted, because
// viewers may have had parts of it: what is missing up to there is GAP.
func (s *Shift) adopt(c *chronicle, seen uint64) {
	oldest := s.shifts.now().Add(-s.reach)
	newest := uint64(0)
	maps.Copy(s.keys, c.keys)
	s.ranges = c.ranges
	s.dropRanges(oldest)
	for _, n := range c.segments {
		list := s.notes[n.Rendition]
		if len(list) > 0 && n.Number != list[len(list)-1].Number+1 {
			list = nil
		}
		if n.end().Before(oldest) {
			list = nil
		} else {
			list = append(list, n)
			newest = max(newest, n.Number)
		}
		s.notes[n.Rendition] = list
	}
	until := max(newest+1, seen)
	for name, list := range s.notes {
		if len(list) == 0 || until-list[len(list)-1].Number > maxMissing {
			delete(s.notes, name)
			continue
		}
		for last := list[len(list)-1]; last.Number < until; list = append(list, last) {
			last.Number, last.Wall, last.Init, last.Key, last.Size, last.IFrame = last.Number+1, last.end(), "", "", 0, 0
		}
		s.notes[name] = list
	}
}

// sweep removes from the disk what no note is about.
func (s *Shift) sweep() {
	wanted := map[string]bool{journalFile: true}
	for name, list := range s.notes {
		for i := range list {
			wanted[filepath.Join(name, list[i].file())] = true
			wanted[filepath.Join(name, list[i].Init)] = true
			wanted[s.keys[list[i].Key].file()] = true
		}
	}
	err := filepath.WalkDir(string(s.folder), func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if rel, err := filepath.Rel(string(s.folder), p); err != nil || wanted[rel] {
			return err
		}
		return os.Remove(p)
	})
	if err != nil {
		s.shifts.log.Warn("old time shift is still on disk", "stream", s.path, "err", err)
	}
}

// Segment implements packager.Recorder: it notes a segment once it is on disk.
func (s *Shift) Segment(l packager.Listed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.journal == nil {
		return
	}
	n := noteOf(&l, l.Kind == media.Video)
	err := s.keepInit(&l)
	if err == nil {
		err = s.keepKey(&l)
	}
	if err == nil {
		err = s.journal.add(note{Segment: n})
	}
	if err != nil {
		if !s.failed {
			s.shifts.log.Warn("time shift will not survive a restart from here on", "stream", s.path, "err", err)
		}
		s.failed = true
		return
	}
	s.failed = false
	s.lines++
	s.notes[l.Rendition] = append(s.notes[l.Rendition], *n)
	s.compact()
}

func (s *Shift) keepInit(l *packager.Listed) error {
	name := l.Rendition + "/" + l.Init
	if l.Gap() || s.inits[name] {
		return nil
	}
	if err := s.folder.write(name, l.Section); err != nil {
		return err
	}
	s.inits[name] = true
	return nil
}

// Multivariant implements packager.Recorder: the next server makes its own.
func (s *Shift) Multivariant([]byte) {}

// compact forgets what is older than the reach, and writes the journal anew
// when most of it is about that.
func (s *Shift) compact() {
	oldest := s.shifts.now().Add(-s.reach)
	alive := 0
	for name, list := range s.notes {
		first := 0
		for first < len(list)-1 && list[first].end().Before(oldest) {
			first++
		}
		s.notes[name] = list[first:]
		alive += len(list) - first
	}
	s.dropKeys()
	s.dropRanges(oldest)
	if s.lines > 2*alive+staleNotes {
		if err := s.rewrite(); err != nil {
			s.shifts.log.Warn("the journal of time shift grows", "stream", s.path, "err", err)
			s.lines = alive // not at each segment again
		}
	}
}

// rewrite puts a journal of what is there in the place of the one before.
func (s *Shift) rewrite() error {
	_ = os.Remove(s.folder.of(newJournal)) // of one that was killed in here
	j, err := createJournal(string(s.folder), newJournal, note{Path: s.path, Start: s.shifts.now().UTC(), Reach: s.reach})
	if err != nil {
		return err
	}
	s.lines = 0
	for _, k := range s.keys {
		if err == nil {
			err = j.add(note{Key: &k})
		}
	}
	for i := range s.ranges.list {
		if err == nil {
			err = j.add(note{DateRange: &s.ranges.list[i]})
		}
	}
	for _, list := range s.notes {
		for i := range list {
			if err == nil {
				err = j.add(note{Segment: &list[i]})
			}
			s.lines++
		}
	}
	if err == nil {
		err = os.Rename(s.folder.of(newJournal), s.folder.of(journalFile))
	}
	if err != nil {
		j.close()
		return err
	}
	if s.journal != nil {
		s.journal.close()
	}
	s.journal = j
	return nil
}

// Close leaves what is there to the next one who opens it. It may be called
// twice.
func (s *Shift) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.journal != nil {
		s.journal.close()
		s.journal = nil
		s.shifts.leave(s.folder)
	}
}

// Remove closes the time shift and removes it from the disk.
func (s *Shift) Remove() error {
	defer s.Close()
	if err := os.RemoveAll(string(s.folder)); err != nil {
		return fmt.Errorf("remove time shift: %w", err)
	}
	return nil
}
