package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// stagingPrefix names the hidden folder where an output is built.
const stagingPrefix = ".millrace-"

// Output is a folder that gets a whole presentation or nothing: all is built
// in a hidden folder inside it (so that the last step is a rename on one file
// system, and no right beyond the folder is needed) and moved into place by
// Publish. What a killed run left behind is removed by the next one.
type Output struct {
	*Disk
	dir     string
	staging string
	lock    *os.File
	made    []string // folders that did not exist before, deepest last
	stale   []string // see Supersede
}

// NewOutput prepares a folder, which is made if it is missing. Either Publish
// or Discard must follow.
func NewOutput(dir string) (*Output, error) {
	o := &Output{dir: filepath.Clean(dir)}
	if err := o.prepare(); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare output folder: %w", err), o.Discard())
	}
	return o, nil
}

func (o *Output) prepare() error {
	for d := o.dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(d); err == nil || !errors.Is(err, os.ErrNotExist) || d == filepath.Dir(d) {
			break
		}
		o.made = append([]string{d}, o.made...)
	}
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return err
	}
	var err error
	if o.staging, o.lock, err = stage(o.dir); err != nil {
		return err
	}
	o.Disk, err = NewDisk(filepath.Join(o.staging, "out"))
	return err
}

// stage makes a hidden folder of this process inside dir, after removing those
// of processes that are gone. Its lock says that its process is not.
func stage(dir string) (staging string, lock *os.File, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", nil, err
	}
	for _, e := range entries {
		if stale := filepath.Join(dir, e.Name()); strings.HasPrefix(e.Name(), stagingPrefix) && abandoned(stale) {
			if err := os.RemoveAll(stale); err != nil {
				return "", nil, err
			}
		}
	}
	if staging, err = os.MkdirTemp(dir, stagingPrefix); err != nil {
		return "", nil, err
	}
	if err := os.Chmod(staging, 0o755); err != nil {
		return staging, nil, err
	}
	if lock, err = os.Create(filepath.Join(staging, "lock")); err != nil {
		return staging, nil, err
	}
	return staging, lock, unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
}

// abandoned reports whether the process that made a staging folder is gone:
// the kernel dropped its lock.
func abandoned(staging string) bool {
	f, err := os.Open(filepath.Join(staging, "lock"))
	if err != nil {
		return false // perhaps just being made
	}
	defer f.Close()
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil
}

// WriteFile adds a small file, such as a playlist.
func (o *Output) WriteFile(name string, b []byte) error {
	f, err := o.Create(name)
	if err != nil {
		return err
	}
	defer f.Release()
	if _, err := f.Append(b); err != nil {
		return err
	}
	return f.Finish()
}

// Existing reads a file that is in the folder already, from an earlier
// presentation.
func (o *Output) Existing(name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(o.dir, name))
}

// Supersede names subfolders of an earlier presentation, whose media and
// playlists Publish removes. What is no plain name is left out.
func (o *Output) Supersede(folders ...string) {
	for _, name := range folders {
		if name != "" && name[0] != '.' && name == filepath.Base(name) {
			o.stale = append(o.stale, name)
		}
	}
}

// Publish moves everything into place. The file named last, at the top, appears
// when all else is there; one of that name that was there before disappears
// first. Other files of the folder stay, but media and playlists of an earlier
// presentation are replaced: in the same subfolders, and see Supersede.
func (o *Output) Publish(last string) error {
	if err := o.publish(last); err != nil {
		return errors.Join(fmt.Errorf("publish output: %w", err), o.Discard())
	}
	o.made = nil
	return o.Discard()
}

func (o *Output) publish(last string) error {
	if err := os.Remove(filepath.Join(o.dir, last)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, name := range o.stale {
		folder := filepath.Join(o.dir, name)
		if err := clearFolder(folder, renditionPatterns); err != nil {
			return err
		}
		_ = os.Remove(folder) // where nothing else is in it
	}
	if err := clearFolder(o.dir, storyPatterns); err != nil {
		return err
	}
	entries, err := os.ReadDir(o.Disk.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		from, to := filepath.Join(o.Disk.dir, e.Name()), filepath.Join(o.dir, e.Name())
		switch {
		case e.Name() == last:
		case e.IsDir():
			err = replaceFolder(from, to)
		default:
			err = os.Rename(from, to)
		}
		if err != nil {
			return err
		}
	}
	return os.Rename(filepath.Join(o.Disk.dir, last), filepath.Join(o.dir, last))
}

// replaceFolder moves a folder of media into place. Where there is one
// already, only what looks like ours is replaced: somebody's own "audio"
// folder is not to vanish.
func replaceFolder(from, to string) error {
	if err := os.Rename(from, to); err == nil || !errors.Is(err, os.ErrExist) && !errors.Is(err, unix.ENOTEMPTY) {
		return err
	}
	if err := clearFolder(to, renditionPatterns); err != nil {
		return err
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.Rename(filepath.Join(from, e.Name()), filepath.Join(to, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// What looks like a rendition of ours, and like a storyboard.
var (
	renditionPatterns = []string{"index.m3u8", "iframes.m3u8", "init-*.mp4", "*.m4s", "[0-9]*.ts"}
	storyPatterns     = []string{"storyboard.vtt", "storyboard-*.jpg"}
)

// clearFolder removes from a folder what looks like ours.
func clearFolder(dir string, patterns []string) error {
	for _, pattern := range patterns {
		old, err := filepath.Glob(filepath.Join(escape(dir), pattern))
		if err != nil {
			return err
		}
		for _, path := range old {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	return nil
}

// escape keeps a path from being read as a pattern.
func escape(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// Discard removes what was not published, and the folder itself if it did not
// exist before. It may be called twice, and after Publish.
func (o *Output) Discard() error {
	if o.staging == "" && len(o.made) == 0 {
		return nil
	}
	var err error
	if o.staging != "" {
		err = os.RemoveAll(o.staging)
		o.staging = ""
	}
	if o.lock != nil {
		_ = o.lock.Close()
		o.lock = nil
	}
	for i := len(o.made) - 1; i >= 0; i-- {
		if os.Remove(o.made[i]) != nil {
			break // somebody put something into it
		}
	}
	o.made = nil
	if err != nil {
		return fmt.Errorf("clean up output: %w", err)
	}
	return nil
}
