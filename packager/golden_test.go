package packager

import (
	"flag"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/millrace/millrace/internal/media"
)

var update = flag.Bool("update", false, "write the golden files of this package")

// TestGolden runs the scripts in testdata. The comment of each archive says
// what happens, one command a line, and its files are what is fetched:
//
//	config segment=2s window=10s      once, first; audioonly for that
//	renditions 720p=video,copy,BITRATE audio=audio,group:G,title:T,language:L,default …
//	cut SEGMENT DISCONTINUITY AT      on the stream's timeline; starts at 0s
//	write RENDITION SEGMENT FROM TO   frames at 25 a second, AAC at 48 kHz,
//	                                  Opus where its name says so
//	sleep 2s · lost NAME · suspend · end · dependent
//	get PATH as FILE                  compared with the archive
//	status PATH CODE
//	troubles N                        so many were reported since the last time
func TestGolden(t *testing.T) {
	scripts, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, path := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { runGolden(t, path) })
		})
	}
}

type script struct {
	*sim
	start time.Time
	disc  map[uint64]uint64
	got   map[string]string
}

func runGolden(t *testing.T, path string) {
	a, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := &script{start: time.Now(), disc: map[uint64]uint64{}, got: map[string]string{}}
	defer func() { s.Close() }()
	for i, line := range strings.Split(string(a.Comment), "\n") {
		if words := strings.Fields(line); len(words) > 0 && words[0] != "#" {
			if err := s.run(t, words); err != nil {
				t.Fatalf("line %d: %s: %v", i+1, line, err)
			}
		}
	}
	if *update {
		a.Files = nil
		for _, name := range slices.Sorted(maps.Keys(s.got)) {
			a.Files = append(a.Files, txtar.File{Name: name, Data: []byte(s.got[name])})
		}
		writeFile(t, path, txtar.Format(a))
	}
	for _, f := range a.Files {
		if got := s.got[f.Name]; got != string(f.Data) {
			t.Errorf("%s is:\n%s\nwant:\n%s", f.Name, got, f.Data)
		}
		delete(s.got, f.Name)
	}
	for name := range s.got {
		t.Errorf("%s is not in the archive", name)
	}
}

func (s *script) run(t *testing.T, words []string) error {
	arg := func(i int) string { return words[i] }
	number := func(i int) uint64 { n, _ := strconv.ParseUint(words[i], 10, 64); return n }
	span := func(i int) time.Duration { d, _ := time.ParseDuration(words[i]); return d }
	switch arg(0) {
	case "config":
		cfg := Config{}
		for _, w := range words[1:] {
			if w == "audioonly" {
				cfg.AudioOnly = true
				continue
			}
			name, value, _ := strings.Cut(w, "=")
			d, err := time.ParseDuration(value)
			if err != nil {
				return err
			}
			*map[string]*time.Duration{"segment": &cfg.Segment, "part": &cfg.Part, "window": &cfg.Window}[name] = d
		}
		s.sim = newSim(t, cfg)
	case "renditions":
		var rs []Rendition
		for _, w := range words[1:] {
			name, value, _ := strings.Cut(w, "=")
			r := Rendition{Name: name, Kind: media.Video}
			for _, v := range strings.Split(value, ",") {
				key, text, _ := strings.Cut(v, ":")
				switch key {
				case "video":
				case "audio":
					r.Kind, r.Language = media.Audio, "en"
				case "copy":
					r.Copy = true
				case "default":
					r.Default = true
				case "group":
					r.Group = text
				case "title":
					r.Title = text
				case "language":
					r.Language = text
				default:
					r.Bitrate, _ = strconv.Atoi(v)
				}
			}
			rs = append(rs, r)
		}
		return s.SetRenditions(rs)
	case "cut":
		s.disc[number(1)] = number(2)
		s.cut(number(1), number(2), span(3), s.start.Add(span(3)))
	case "write":
		f := video25()
		switch {
		case strings.HasSuffix(arg(1), "opus"):
			f = frames{track: opusTrack(), rate: media.Rational{Num: 50, Den: 1}}
		case strings.HasPrefix(arg(1), "audio"):
			f = aac()
		}
		if len(words) > 5 { // another picture size, so another init section
			tr := *f.track
			tr.Width, _ = strconv.Atoi(arg(5))
			f.track = &tr
		}
		for _, pk := range f.between(span(3), span(4)) {
			s.put(arg(1), number(2), s.disc[number(2)], pk)
		}
	case "sleep":
		time.Sleep(span(1))
	case "lost":
		s.Lost(words[1:]...)
	case "suspend":
		s.Suspend()
	case "end":
		return s.End()
	case "dependent":
		s.SetDependent()
	case "get":
		w := s.get(arg(1))
		if w.Code != http.StatusOK {
			return fmt.Errorf("status %d", w.Code)
		}
		s.got[arg(3)] = w.Body.String()
	case "status":
		if w := s.get(arg(1)); strconv.Itoa(w.Code) != arg(2) {
			return fmt.Errorf("status %d", w.Code)
		}
	case "troubles":
		n := len(s.troubles)
		if strconv.Itoa(n) != arg(1) {
			return fmt.Errorf("%d were reported: %q", n, s.troubles)
		}
		s.troubles = nil
	default:
		return fmt.Errorf("unknown command")
	}
	return nil
}
