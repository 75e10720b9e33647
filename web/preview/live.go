package main

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const (
	segment = 2 * time.Second
	window  = 8
)

// live plays the segments of a folder in a loop, as a live presentation.
type live struct {
	dir  string
	init map[string]string   // rendition to its EXT-X-MAP URI
	uris map[string][]string // rendition to its segments

	mu      sync.Mutex
	first   int64 // media sequence of entries[0]
	discos  int64 // discontinuities that left the window
	entries []entry
	next    int
	broken  bool // the next segment follows a discontinuity
	running bool
	ended   bool
	exists  bool
}

type entry struct {
	index         int
	discontinuity bool
	at            time.Time
}

func newLive(dir string) (*live, error) {
	l := &live{dir: dir, init: map[string]string{}, uris: map[string][]string{}}
	lists, err := filepath.Glob(filepath.Join(dir, "*", "index.m3u8"))
	if err != nil || len(lists) == 0 {
		return nil, fmt.Errorf("%s holds no HLS presentation", dir)
	}
	for _, name := range lists {
		if err := l.read(filepath.Base(filepath.Dir(name)), name); err != nil {
			return nil, err
		}
	}
	l.start()
	return l, nil
}

func (l *live) read(rendition, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("open playlist: %w", err)
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		if uri, ok := strings.CutPrefix(line, `#EXT-X-MAP:URI="`); ok {
			l.init[rendition] = strings.TrimSuffix(uri, `"`)
		}
		if line != "" && line[0] != '#' {
			l.uris[rendition] = append(l.uris[rendition], line)
		}
	}
	return nil
}

func (l *live) start() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.first, l.discos, l.entries, l.next = time.Now().Unix(), 0, nil, 0
	l.running, l.exists, l.ended, l.broken = true, true, false, false
	for i := range 4 {
		l.add(time.Now().Add(time.Duration(i-4) * segment))
	}
}

// tick adds one segment where a publisher sends.
func (l *live) tick() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running {
		l.add(time.Now().Add(-segment))
	}
}

func (l *live) add(at time.Time) {
	n := len(l.uris["720p"])
	l.entries = append(l.entries, entry{l.next % n, l.broken || l.next%n == 0 && l.next > 0, at})
	l.next++
	l.broken = false
	for len(l.entries) > window {
		if l.entries[0].discontinuity {
			l.discos++
		}
		l.entries, l.first = l.entries[1:], l.first+1
	}
}

// set changes the publisher's state: sending, gone for a while, or over.
func (l *live) set(running, ended, exists bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = l.broken || running && !l.running
	l.running, l.ended, l.exists = running, ended, exists
}

func (l *live) there() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.exists
}

func (l *live) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rendition, file := filepath.Split(r.URL.Path)
	rendition = strings.TrimSuffix(rendition, "/")
	switch {
	case rendition != "" && file == "index.m3u8" && l.uris[rendition] != nil:
		w.Header().Set("Content-Type", "application/vnd.apple.mpegurl")
		w.Header().Set("Cache-Control", "max-age=1")
		_, _ = w.Write([]byte(l.playlist(rendition)))
	case strings.HasSuffix(file, ".m3u8"):
		w.Header().Set("Content-Type", "application/vnd.apple.mpegurl")
		fallthrough
	default:
		http.ServeFile(w, r, filepath.Join(l.dir, filepath.Clean("/"+r.URL.Path)))
	}
}

func (l *live) playlist(rendition string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:3\n#EXT-X-MEDIA-SEQUENCE:%d\n#EXT-X-DISCONTINUITY-SEQUENCE:%d\n#EXT-X-INDEPENDENT-SEGMENTS\n", l.first, l.discos)
	for i, e := range l.entries {
		if e.discontinuity {
			b.WriteString("#EXT-X-DISCONTINUITY\n")
		}
		if i == 0 || e.discontinuity {
			fmt.Fprintf(&b, "#EXT-X-MAP:URI=\"%s\"\n", l.init[rendition])
		}
		uris := l.uris[rendition]
		fmt.Fprintf(&b, "#EXT-X-PROGRAM-DATE-TIME:%s\n#EXTINF:2.0,\n%s\n", e.at.UTC().Format("2006-01-02T15:04:05.000Z"), uris[e.index%len(uris)])
	}
	if l.ended {
		b.WriteString("#EXT-X-ENDLIST\n")
	}
	return b.String()
}
