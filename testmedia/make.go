package testmedia

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// CacheDir is the folder where clips are kept.
func CacheDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find cache folder: %w", err)
	}
	return filepath.Join(cache, "millrace", "testmedia"), nil
}

// Make returns the file of the clip in CacheDir, which it makes when it is not
// there yet. Any number of goroutines and processes may ask for the same clip
// at the same time. The file must not be changed.
func (r Recipe) Make(ctx context.Context) (string, error) {
	dir, err := CacheDir()
	if err != nil {
		return "", err
	}
	return r.MakeIn(ctx, dir)
}

// MakeIn is Make with a folder of the caller's.
func (r Recipe) MakeIn(ctx context.Context, dir string) (string, error) {
	r = r.Complete()
	if err := r.check(); err != nil {
		return "", err
	}
	name, err := r.fileName()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, name)
	if exists(path) {
		return path, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make cache folder: %w", err)
	}
	unlock, err := lockFile(ctx, filepath.Join(dir, "."+name+".lock"))
	if err != nil {
		return "", fmt.Errorf("make clip %s: %w", r.Name, err)
	}
	defer unlock()
	if exists(path) {
		return path, nil
	}
	work, err := os.MkdirTemp(dir, ".making-")
	if err != nil {
		return "", fmt.Errorf("make clip %s: %w", r.Name, err)
	}
	defer os.RemoveAll(work)
	made, err := r.makeFile(ctx, work)
	if err != nil {
		return "", fmt.Errorf("make clip %s: %w", r.Name, err)
	}
	if err := os.Rename(made, path); err != nil {
		return "", fmt.Errorf("keep clip %s: %w", r.Name, err)
	}
	return path, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// makeFile makes the clip in work.
func (r Recipe) makeFile(ctx context.Context, work string) (string, error) {
	ffmpeg, err := FFmpeg("ffmpeg")
	if err != nil {
		return "", err
	}
	var sound string
	if r.Audio != nil {
		sound = filepath.Join(work, "sound.pcm")
		if err := r.writeSound(sound); err != nil {
			return "", err
		}
		if r.Audio.Codec == "mp3" {
			if sound, err = r.lame(ctx, ffmpeg, work, sound); err != nil {
				return "", err
			}
		}
	}
	out := filepath.Join(work, "clip."+r.Container)
	var pictures func(io.Writer) error
	if r.Video != nil {
		pictures = r.writePictures
	}
	if err := run(ctx, ffmpeg, r.encodeArgs(sound, out), pictures); err != nil {
		return "", err
	}
	if r.Video == nil || r.Video.Rotation == 0 {
		return out, nil
	}
	turned := filepath.Join(work, "turned."+r.Container)
	return turned, run(ctx, ffmpeg, r.rotateArgs(out, turned), nil)
}

// lame encodes MP3 where ffmpeg was built without an encoder for it.
func (r Recipe) lame(ctx context.Context, ffmpeg, work, sound string) (string, error) {
	list, err := exec.CommandContext(ctx, ffmpeg, "-hide_banner", "-encoders").Output()
	if err == nil && bytes.Contains(list, []byte(" libmp3lame ")) {
		return sound, nil
	}
	lame, err := exec.LookPath("lame")
	if err != nil {
		return "", errors.New("neither this ffmpeg nor a lame command can make MP3: install Debian's package lame")
	}
	out := filepath.Join(work, "sound.mp3")
	mode := "j"
	if r.Audio.Channels == 1 {
		mode = "m"
	}
	return out, run(ctx, lame, []string{
		"--quiet", "-r", "--signed", "--bitwidth", "16", "--little-endian", "-s", fmt.Sprint(float64(r.Audio.Rate) / 1000),
		"-m", mode, "--cbr", "-b", fmt.Sprint(r.Audio.Bitrate / 1000), sound, out,
	}, nil)
}

// run runs a command, feeds it, and puts what it complained about into the
// error.
func run(ctx context.Context, name string, args []string, feed func(io.Writer) error) error {
	cmd := exec.CommandContext(ctx, name, args...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	var fed error
	if feed != nil {
		in, err := cmd.StdinPipe()
		if err != nil {
			return fmt.Errorf("run %s: %w", filepath.Base(name), err)
		}
		if err := cmd.Start(); err != nil {
			return fmt.Errorf("run %s: %w", filepath.Base(name), err)
		}
		fed = errors.Join(feed(in), in.Close())
	} else if err := cmd.Start(); err != nil {
		return fmt.Errorf("run %s: %w", filepath.Base(name), err)
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("run %s: %w: %s", filepath.Base(name), errors.Join(err, context.Cause(ctx)), strings.TrimSpace(complaint.String()))
	}
	if fed != nil {
		return fmt.Errorf("feed %s: %w", filepath.Base(name), fed)
	}
	return nil
}

func (r Recipe) writePictures(w io.Writer) error {
	v := r.Video
	p, err := NewPicture(PictureOptions{
		Width: v.Width, Height: v.Height, AspectNum: v.SampleAspectNum, AspectDen: v.SampleAspectDen,
		Label: r.Name, Detail: v.Detail,
	})
	if err != nil {
		return err
	}
	f := p.NewFrame()
	slot := int64(0)
	for n, at := range r.slots() {
		for ; slot < at; slot++ { // ffmpeg leaves these out
			if err := writeAll(w, f.I420); err != nil {
				return err
			}
		}
		s := NewStamp(uint64(n), Epoch.Add(v.Rate.Time(at)))
		if v.Interlaced {
			p.DrawFields(f, s, v.Rate.Time(1))
		} else {
			p.Draw(f, s)
		}
		if err := writeAll(w, f.I420); err != nil {
			return err
		}
		slot++
	}
	return nil
}

func (r Recipe) writeSound(path string) error {
	s, err := NewSound(SoundOptions{Rate: r.Audio.Rate, Channels: r.Audio.Channels, Bed: true}, Epoch)
	if err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write sound: %w", err)
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	rate := Rate{r.Audio.Rate, 1}
	left := int(rate.Frame(r.Duration)) * r.Audio.Channels
	pcm := make([]int16, 1024*r.Audio.Channels)
	var b []byte
	for ; left > 0; left -= len(pcm) {
		pcm = pcm[:min(left, len(pcm))]
		s.Fill(pcm)
		b = appendPCM(b[:0], pcm)
		if err := writeAll(w, b); err != nil {
			return err
		}
	}
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		return fmt.Errorf("write sound: %w", err)
	}
	return nil
}
