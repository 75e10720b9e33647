package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os/exec"
	"strings"
	"time"

	"github.com/millrace/millrace/internal/status"
)

type demoCmd struct {
	settings
}

// Help is printed by millrace help demo.
func (demoCmd) Help() string {
	return `A server as "millrace serve" runs it, with a camera that publishes to the path demo over RTSP: a moving
picture with a clock and a frame number, and a beep each second. It prints the address of the player
when the first segment is there.

    millrace demo
    millrace demo --http :9000 --rtsp :9554`
}

// demoPath is where the camera publishes.
const demoPath = "demo"

// Run serves, with a camera.
func (d *demoCmd) Run(ctx context.Context, w *world) error {
	return d.serve(ctx, w, func(ctx context.Context, s *server) error {
		if s.rtsp == nil || s.web == nil {
			return errors.New("the demo needs both listeners: its camera publishes over RTSP, its player is a page; leave --rtsp and --http on")
		}
		exe, err := w.executable()
		if err != nil {
			return fmt.Errorf("find this program's file: %w", err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.invite(ctx, w)
		}()
		s.keepFilming(ctx, exe)
		<-done
		return nil
	})
}

// invite prints where to look as soon as there is something to see.
func (s *server) invite(ctx context.Context, w *world) {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		stream, ok := s.manager.Get(demoPath)
		if ok && stream.State == status.Live && allLive(stream.Renditions) {
			fmt.Fprintf(w.stdout, "\n  Watch    %s\n  Console  %s\n\n", s.url("/watch/"+demoPath), s.url("/"))
			return
		}
	}
}

func allLive(list []status.Rendition) bool {
	for _, r := range list {
		if r.State != "live" {
			return false
		}
	}
	return len(list) > 0
}

// keepFilming runs cameras, one after the other, until ctx ends.
func (s *server) keepFilming(ctx context.Context, exe string) {
	log := s.log.With("process", "camera")
	for {
		err := s.runCamera(ctx, exe, log)
		if ctx.Err() != nil {
			return
		}
		log.Warn("the camera stopped; another one starts", "err", err)
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return
		}
	}
}

// runCamera runs one camera process until it ends or ctx does.
func (s *server) runCamera(ctx context.Context, exe string, log *slog.Logger) error {
	order, err := json.Marshal(cameraOrder{URL: s.cameraURL()})
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, exe, "camera")
	cmd.Env = []string{}
	cmd.SysProcAttr = dieWithParent()
	words := &logLines{log: log}
	cmd.Stderr = words
	cmd.WaitDelay = time.Second
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	cmd.Cancel = stdin.Close // it leaves when its input ends; WaitDelay kills it
	if err := cmd.Start(); err != nil {
		return err
	}
	if _, err := stdin.Write(append(order, '\n')); err != nil {
		log.Debug("tell the camera where to publish", "err", err) // it died: Wait tells why
	}
	err = cmd.Wait()
	words.flush()
	return err
}

// cameraURL is where the camera publishes: at this server, by its own key in a
// container, where nobody is local.
func (s *server) cameraURL() string {
	host, port, err := net.SplitHostPort(s.rtsp.Addr().String())
	if err != nil {
		host, port = "", ""
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	url := "rtsp://" + net.JoinHostPort(host, port) + "/" + demoPath
	if s.container {
		for _, rule := range s.cfg.Auth.Publish {
			if rule.Path.Match(demoPath) {
				return url + "?key=" + rule.Key
			}
		}
	}
	return url
}

// logLines writes what a process prints into the log. It is used by one
// goroutine at a time.
type logLines struct {
	log  *slog.Logger
	rest bytes.Buffer
}

const longestLine = 1000

func (l *logLines) Write(p []byte) (int, error) {
	l.rest.Write(p)
	for {
		line, err := l.rest.ReadString('\n')
		if err != nil && len(line) < longestLine {
			l.rest.WriteString(line)
			return len(p), nil
		}
		l.say(line)
	}
}

func (l *logLines) flush() { l.say(l.rest.String()) }

func (l *logLines) say(line string) {
	if line = strings.TrimSpace(line); line != "" {
		l.log.Warn(strings.TrimPrefix(line, "millrace: "))
	}
}
