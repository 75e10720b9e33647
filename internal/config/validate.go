package config

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/millrace/millrace/internal/access"
)

// validate checks what no single value shows. It runs after errors in single
// values too, so that all are told at once.
func (d *decoder) validate(c *Config) {
	v := validator{d: d}
	v.http(c.HTTP)
	v.listeners(c)
	v.auth(c.Auth)
	v.env(c.Env)
	for i := range c.Streams {
		v.stream(&c.Streams[i], fmt.Sprintf("streams[%d]", i))
		v.reached(c.Streams[:i], c.Streams[i].Path, fmt.Sprintf("streams[%d].path", i))
	}
}

type validator struct{ d *decoder }

func (v validator) errorf(key, format string, args ...any) {
	at := v.d.where(key)
	if at.line == 0 { // a flag or variable
		v.d.count++
		v.d.errs = append(v.d.errs, &Error{File: at.text, Message: fmt.Sprintf(format, args...)})
		return
	}
	v.d.errorf(at, key, format, args...)
}

func (v validator) http(h HTTP) {
	switch {
	case h.TLS.Cert != "" && h.TLS.Key == "":
		v.errorf("http.tls", "has cert without key; name both, or none for plain HTTP")
	case h.TLS.Key != "" && h.TLS.Cert == "":
		v.errorf("http.tls", "has key without cert; name both, or none for plain HTTP")
	}
	for i, o := range h.Origins {
		if o == "*" {
			continue
		}
		u, err := url.Parse(o)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil || u.Fragment != "" {
			v.errorf(fmt.Sprintf("http.origins[%d]", i), "%q is not an origin; write https://example.org, without a path, or *", o)
		}
	}
	for i, p := range h.TrustedProxies {
		if _, err := access.ParseProxies([]string{p}); err != nil {
			v.errorf(fmt.Sprintf("http.trustedProxies[%d]", i), "%q is neither an address nor a network; write 192.0.2.1 or 10.0.0.0/8", p)
		}
	}
}

// listeners refuses two TCP servers at one address; SRT is UDP and may share.
func (v validator) listeners(c *Config) {
	taken := make(map[string]string)
	for _, l := range []struct {
		key     string
		address Address
	}{{"http.listen", c.HTTP.Listen}, {"rtsp.listen", c.RTSP.Listen}, {"rtmp.listen", c.RTMP.Listen}} {
		if _, port, err := net.SplitHostPort(string(l.address)); err != nil || port == "0" {
			continue
		}
		if other, ok := taken[string(l.address)]; ok {
			if here := l.key; !v.mentions(here) { // blame what was written, not a default
				l.key, other = other, here
			}
			v.errorf(l.key, "%s is the address of %s too; give each its own", l.address, other)
			continue
		}
		taken[string(l.address)] = l.key
	}
}

func (v validator) auth(a Auth) {
	for i, r := range a.Publish {
		v.rule(fmt.Sprintf("auth.publish[%d]", i), r.Path, "key", r.Key)
	}
	for i, r := range a.View {
		v.rule(fmt.Sprintf("auth.view[%d]", i), r.Path, "token", r.Token)
	}
}

// rule refuses half a rule: a guard without its key would let everybody in, or
// nobody.
func (v validator) rule(key string, path Pattern, name, secret string) {
	if v.mentions(key+".path") && v.mentions(key+"."+name) {
		return
	}
	switch {
	case path == "":
		v.errorf(key, "needs a path; write path: \"*\" for every path")
	case secret == "":
		v.errorf(key, "needs a %s", name)
	}
}

func (v validator) mentions(key string) bool {
	_, ok := v.d.at[key]
	return ok
}

func (v validator) env(names []string) {
	for i, n := range names {
		if strings.Trim(n, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") != "" || n == "" {
			v.errorf(fmt.Sprintf("env[%d]", i), "%q is not the name of an environment variable", n)
		}
	}
}

func (v validator) stream(s *Stream, key string) {
	if s.Path == "" && !v.mentions(key+".path") {
		v.errorf(key, "needs a path; write path: \"*\" for every path")
	}
	v.hls(s.HLS, key+".hls")
	if s.Source == "" {
		return
	}
	if !s.Path.Exact() {
		v.errorf(key+".path", "a stream with a source needs one exact path, not a pattern")
	}
	// The URL carries a password: it is never repeated in a message.
	u, err := url.Parse(s.Source)
	switch {
	case err != nil || u.Scheme == "" || u.Host == "":
		v.errorf(key+".source", "is not a URL; write rtsp://user:password@host/path, and %% in a password as %%25")
	case !pullable[u.Scheme]:
		v.errorf(key+".source", "cannot pull from %s://; known are rtsp, rtsps, rtmp, rtmps, srt, udp, http and https", u.Scheme)
	}
}

var pullable = map[string]bool{
	"rtsp": true, "rtsps": true, "rtmp": true, "rtmps": true, "srt": true, "udp": true, "http": true, "https": true,
}

// CheckSegment reports a length that segments cannot have.
func CheckSegment(d time.Duration) error {
	const least, most = 500 * time.Millisecond, time.Minute
	if d < least || d > most {
		return fmt.Errorf("%s is out of range; %s to %s", formatDuration(d), formatDuration(least), formatDuration(most))
	}
	return nil
}

func (v validator) hls(h HLS, key string) {
	if err := CheckSegment(h.Segment); err != nil {
		v.errorf(key+".segment", "%v", err)
		return
	}
	switch {
	case h.Part < 100*time.Millisecond:
		v.errorf(key+".part", "%s is too short; 100ms is the least", formatDuration(h.Part))
	case h.Part > h.Segment/2 && !v.mentions(key+".part"):
		v.errorf(key+".segment", "%s leaves no room for two parts of %s; set part to at most %s", formatDuration(h.Segment), formatDuration(h.Part), formatDuration(h.Segment/2))
	case h.Part > h.Segment/2:
		v.errorf(key+".part", "%s is more than half a segment; %s is the most", formatDuration(h.Part), formatDuration(h.Segment/2))
	}
	switch {
	case h.Window < 3*h.Segment && !v.mentions(key+".window"):
		v.errorf(key+".segment", "%s does not fit three times into the window of %s; set window to at least %s", formatDuration(h.Segment), formatDuration(h.Window), formatDuration(3*h.Segment))
	case h.Window < 3*h.Segment:
		v.errorf(key+".window", "%s is less than three segments; %s is the least", formatDuration(h.Window), formatDuration(3*h.Segment))
	case h.Window > time.Hour:
		v.errorf(key+".window", "%s is kept in memory; 1h is the most, use dvr for more", formatDuration(h.Window))
	}
	v.encryption(h, key+".encryption")
	if h.DVR != 0 && h.DVR < h.Window {
		v.errorf(key+".dvr", "%s is less than the window of %s; write more, or 0s for none", formatDuration(h.DVR), formatDuration(h.Window))
	}
}

// reached refuses an entry that no path comes to, because one above matches
// all that it matches.
func (v validator) reached(above []Stream, p Pattern, key string) {
	for i, a := range above {
		switch {
		case p == "":
		case a.Path == p:
			v.errorf(key, "%q is in streams[%d] already; the first entry that matches holds", p, i)
			return
		case p.Exact() && a.Path.Match(string(p)), a.Path.everything():
			v.errorf(key, "is never reached: %q in streams[%d] matches first; put this entry above it", a.Path, i)
			return
		}
	}
}
