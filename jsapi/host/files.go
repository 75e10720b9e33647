package host

import (
	"os"
	"time"
)

// files are those that a script is made of, watched by looking at them.
type files struct {
	seen    map[string]mark
	unquiet bool // they changed at the last look
}

// mark tells one version of a file from the next; the zero mark is a file that
// is not there.
type mark struct {
	modified time.Time
	size     int64
}

func newFiles(paths []string) *files {
	f := &files{seen: make(map[string]mark, len(paths))}
	for _, path := range paths {
		f.seen[path] = markOf(path)
	}
	return f
}

func markOf(path string) mark {
	info, err := os.Stat(path)
	if err != nil {
		return mark{}
	}
	return mark{info.ModTime(), info.Size()}
}

// add has the files of a process watched that did not start.
func (f *files) add(i *instance) {
	i.mu.Lock()
	said := i.failed
	i.mu.Unlock()
	if said == nil {
		return
	}
	for _, path := range said.Inputs {
		if _, ok := f.seen[path]; !ok {
			f.seen[path] = markOf(path)
		}
	}
}

// changed looks at the files, and reports a change once they have stopped
// changing: who writes many files writes one after the other.
func (f *files) changed() bool {
	moved := false
	for path, was := range f.seen {
		now := markOf(path)
		if now != was {
			f.seen[path] = now
			moved = true
		}
	}
	if moved {
		f.unquiet = true
		return false
	}
	quiet := f.unquiet
	f.unquiet = false
	return quiet
}
