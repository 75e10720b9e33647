package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"regexp"
	"strings"
	"syscall"

	"github.com/millrace/millrace/transcode"
)

// What the commands that do one thing and leave have in common.

// interruptible returns a context that ends at SIGINT and SIGTERM.
func (w *world) interruptible(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals, stop := w.signals()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case sig := <-signals:
				if sig != syscall.SIGHUP {
					cancel(fmt.Errorf("stopped by signal: %s", sig))
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return ctx, func() {
		stop()
		cancel(nil)
		<-done
	}
}

// supervisor starts this program's worker processes. What they log is left
// out: what matters comes back as an error.
func (w *world) supervisor() (*transcode.Supervisor, error) {
	exe, err := w.executable()
	if err != nil {
		return nil, fmt.Errorf("find this program's file: %w", err)
	}
	s, err := transcode.NewSupervisor(transcode.Options{Command: []string{exe, "worker"}})
	if err != nil {
		return nil, fmt.Errorf("prepare workers: %w", err)
	}
	return s, nil
}

// checkInput tells what can be told of an input without a worker: that a file
// is not there, is empty, or is a folder.
func checkInput(input string) error {
	if strings.Contains(input, "://") {
		if u, err := url.Parse(input); err != nil || u.Host == "" && u.Scheme != "file" {
			return errors.New("the input is not a URL; write SCHEME://HOST/PATH, or the name of a file")
		}
		return nil
	}
	info, err := os.Stat(input)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: there is no such file", input)
	case err != nil:
		return fmt.Errorf("%s: %w", input, errors.Unwrap(err))
	case info.IsDir():
		return fmt.Errorf("%s is a folder; name a file", input)
	case info.Mode().IsRegular() && info.Size() == 0:
		return fmt.Errorf("%s is empty", input)
	}
	f, err := os.Open(input)
	if err != nil {
		return fmt.Errorf("%s: %w", input, errors.Unwrap(err))
	}
	return f.Close()
}

// inputError says in one line why an input could not be used: the worker's own
// reason, without how it was found out and without what is secret in a URL.
func inputError(input string, err error) error {
	name := redacted(input)
	var death *transcode.Death
	if errors.As(err, &death) && (death.Outcome == transcode.Refused || death.Outcome == transcode.Unsupported) {
		err = errors.New(death.Reason)
	}
	reason := anyURL.ReplaceAllStringFunc(strings.ReplaceAll(err.Error(), input, name), redacted)
	for _, prefix := range []string{"open ", name + ": "} {
		reason = strings.TrimPrefix(reason, prefix)
	}
	if strings.Contains(reason, "Invalid data found") {
		reason += "; it is no media file, or it is damaged or cut off"
	}
	return inputFault{name + ": " + reason, err}
}

// anyURL finds the URLs in a text, without a colon that follows them.
var anyURL = regexp.MustCompile(`[a-z][a-z0-9+.-]*://[^\s"]*[^\s":;,]`)

// inputFault keeps the cause of what it says in its own words.
type inputFault struct {
	text  string
	cause error
}

func (f inputFault) Error() string { return f.text }
func (f inputFault) Unwrap() error { return f.cause }

// redacted is an input without its password and query.
func redacted(input string) string {
	if !strings.Contains(input, "://") {
		return input
	}
	u, err := url.Parse(input)
	if err != nil {
		scheme, _, _ := strings.Cut(input, "://")
		return scheme + "://…"
	}
	u.RawQuery = ""
	return u.Redacted()
}
