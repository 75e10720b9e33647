package compile

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"
)

// Watch tells of every change of a script: at interval it looks at the files
// that the script was made of, and where one changed it compiles it again.
// changed is called with the new program, or with why it does not compile, in
// which case whoever runs the old one goes on; not where it would say the same
// again. Watch returns when ctx ends.
func Watch(ctx context.Context, script *Program, o Options, interval time.Duration, changed func(*Program, error)) {
	// The script may have changed since it was compiled: the first look finds
	// every file changed.
	files := make(map[string]stamp, len(script.Inputs))
	for _, name := range script.Inputs {
		files[name] = unknown
	}
	told := "" // the error that was told last
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if unchanged(files) {
			continue
		}
		began := time.Now()
		next, err := File(script.Path, o)
		if err != nil {
			// What is at fault may be a file that was no part of it before.
			files = stamps(append(names(files), blamed(err)...), began)
			if err.Error() != told {
				told = err.Error()
				changed(nil, err)
			}
			continue
		}
		files = stamps(next.Inputs, began)
		if next.Code != script.Code || told != "" {
			told = ""
			script = next
			changed(next, nil)
		}
	}
}

// stamp is how a file looked: its zero value is a file that is not there.
type stamp struct {
	size     int64
	modified time.Time
}

// unknown is unlike any file.
var unknown = stamp{size: -1}

func look(name string) stamp {
	info, err := os.Stat(name)
	if err != nil {
		return stamp{}
	}
	return stamp{info.Size(), info.ModTime()}
}

// stamps are how files look that were read after began. One that changed since
// may have been read before: it is unknown.
func stamps(files []string, began time.Time) map[string]stamp {
	all := make(map[string]stamp, len(files))
	for _, name := range files {
		s := look(name)
		if !s.modified.Before(began.Add(-coarse)) {
			s = unknown
		}
		all[name] = s
	}
	return all
}

// coarse is how far a file system's clock may lag behind.
const coarse = 20 * time.Millisecond

func unchanged(files map[string]stamp) bool {
	for name, s := range files {
		if look(name) != s {
			return false
		}
	}
	return true
}

func names(files map[string]stamp) []string {
	all := make([]string, 0, len(files))
	for name := range files {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

func blamed(err error) []string {
	var bad *Error
	if !errors.As(err, &bad) {
		return nil
	}
	var files []string
	for _, f := range bad.Faults {
		if f.File != "" {
			files = append(files, f.File)
		}
	}
	return files
}
