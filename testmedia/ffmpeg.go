package testmedia

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// ErrNoFFmpeg says that there is no ffmpeg command to make clips with.
var ErrNoFFmpeg = errors.New("there is no ffmpeg here: `make setup` builds it, or put it into PATH")

// FFmpeg finds one of FFmpeg's commands, "ffmpeg" or "ffprobe": first the one
// that the set-up keeps in the user's cache folder, which is of the version
// that Millrace links, then the one in PATH.
func FFmpeg(command string) (string, error) {
	if cache, err := os.UserCacheDir(); err == nil {
		found, err := filepath.Glob(filepath.Join(cache, "millrace", "ffmpeg-*", "bin", command))
		if err != nil {
			return "", fmt.Errorf("find %s: %w", command, err)
		}
		slices.Sort(found)
		for _, f := range slices.Backward(found) {
			if _, err := exec.LookPath(f); err == nil {
				return f, nil
			}
		}
	}
	path, err := exec.LookPath(command)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", command, ErrNoFFmpeg)
	}
	return path, nil
}
