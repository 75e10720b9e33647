package recording

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager"
	"github.com/millrace/millrace/packager/playlist"
)

const (
	journalFile = "journal"
	summaryFile = "recording.json"
	indexFile   = "index.m3u8"
)

// note is one line of a journal.
type note struct {
	Path    string        `json:"path,omitempty"`  // in the first line: of the stream
	Start   time.Time     `json:"start,omitzero"`  // in the first line
	Reach   time.Duration `json:"reach,omitempty"` // in the first line of time shift: how far back it goes
	Target  int           `json:"target,omitempty"`
	Multi   string        `json:"multi,omitempty"` // the multivariant playlist from here on
	Key     *keyNote      `json:"key,omitempty"`   // of segments from here on
	Segment *segmentNote  `json:"segment,omitempty"`

	DateRange *playlist.DateRange `json:"dateRange,omitempty"` // or what is known of it now
}

// segmentNote is a segment that is there.
type segmentNote struct {
	Rendition     string        `json:"rendition"`
	Video         bool          `json:"video,omitempty"`
	Number        uint64        `json:"number"`
	Discontinuity uint64        `json:"discontinuity"`
	Duration      time.Duration `json:"duration"`
	Wall          time.Time     `json:"wall"`
	Init          string        `json:"init,omitempty"` // empty for a gap
	Size          int64         `json:"size,omitempty"`
	TS            bool          `json:"ts,omitempty"`     // MPEG-TS, which has no initialization sections
	Text          bool          `json:"text,omitempty"`   // WebVTT, which has none either
	IFrame        int64         `json:"iframe,omitempty"` // bytes of the I-frame that it begins with; 0 for none
	Key           string        `json:"key,omitempty"`    // name of its keyNote
}

func (s *segmentNote) gap() bool { return s.Init == "" }

// sectioned reports whether the segment needs its initialization section.
func (s *segmentNote) sectioned() bool { return !s.TS && !s.Text }

// file is the name of the segment's file.
func (s *segmentNote) file() string { return segmentFile(s.Number, s.TS, s.Text) }

// journal is one that is being written. The lock on its file says that its
// process lives.
type journal struct{ file *os.File }

func createJournal(dir, name string, first note) (*journal, error) {
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	j := &journal{f}
	if err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err == nil {
		err = j.add(first)
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("begin journal: %w", err)
	}
	return j, nil
}

// add appends a line by one write, so that only the last one can be torn.
func (j *journal) add(n note) error {
	b, err := json.Marshal(n)
	if err == nil {
		_, err = j.file.Write(append(b, '\n'))
	}
	return err
}

func (j *journal) close() { _ = j.file.Close() }

// chronicle is what a journal tells.
type chronicle struct {
	path     string
	start    time.Time
	target   int // seconds
	reach    time.Duration
	multi    string
	keys     map[string]keyNote // by name
	segments []segmentNote
	ranges   dateRanges
}

// errBusy says that another process writes the recording.
var errBusy = errors.New("the recording is being written")

// readJournal reads what was noted, up to a line that was torn. It holds the
// journal's lock until release.
func readJournal(dir string) (c *chronicle, release func(), err error) {
	f, err := os.Open(filepath.Join(dir, journalFile))
	if err != nil {
		return nil, nil, err
	}
	if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		_ = f.Close()
		return nil, nil, errBusy
	}
	c = &chronicle{}
	r := bufio.NewReaderSize(f, 1<<16)
	for {
		line, err := r.ReadBytes('\n')
		var n note
		if err != nil || json.Unmarshal(bytes.TrimSpace(line), &n) != nil {
			if err != nil && !errors.Is(err, io.EOF) {
				_ = f.Close()
				return nil, nil, fmt.Errorf("read journal: %w", err)
			}
			return c, func() { _ = f.Close() }, nil
		}
		c.take(n)
	}
}

func (c *chronicle) take(n note) {
	if n.Path != "" {
		c.path, c.start, c.target, c.reach = n.Path, n.Start, n.Target, n.Reach
	}
	if n.Multi != "" {
		c.multi = n.Multi
	}
	if n.Key != nil {
		if c.keys == nil {
			c.keys = map[string]keyNote{}
		}
		c.keys[n.Key.Name] = *n.Key
	}
	if n.DateRange != nil {
		c.ranges.put(*n.DateRange)
	}
	if n.Segment != nil {
		c.segments = append(c.segments, *n.Segment)
	}
}

// noteOf is what is noted of a listed segment.
func noteOf(l *packager.Listed, video bool) *segmentNote {
	s := &segmentNote{
		Rendition: l.Rendition, Video: video, Number: l.Number, Discontinuity: l.Discontinuity,
		Duration: l.Duration, Wall: l.Wall.UTC(), Init: l.Init, Size: l.Size, IFrame: l.IFrame,
		TS: l.Container == packager.TS && l.Kind != media.Text, Text: l.Kind == media.Text,
	}
	if l.Key != nil {
		s.Key = l.Key.Name()
	}
	return s
}
