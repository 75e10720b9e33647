package config

import (
	"fmt"
	"net/url"
)

// Missing is a feature that a configuration asks for and this version does not
// have.
type Missing struct {
	Key  string // that asks for it
	What string // "MPEG-TS", …
	File string // where, for people
	Line int
}

func (m Missing) String() string {
	return fmt.Sprintf("%s:%d: %s: %s is not in this version", m.File, m.Line, m.Key, m.What)
}

// NotYet lists the features that c asks for by name and that this version does
// not have. Listeners that are on by default are not among them: see
// NotYetListeners.
func NotYet(c *Config) []Missing {
	var list []Missing
	add := func(wanted bool, key, what string) {
		if !wanted {
			return
		}
		m := Missing{Key: key, What: what, File: c.File}
		if c.source != nil {
			m.Line = c.source.where(key).line
		}
		list = append(list, m)
	}
	for i, s := range c.Streams {
		key := fmt.Sprintf("streams[%d]", i)
		scheme := ""
		if u, err := url.Parse(s.Source); err == nil {
			scheme = u.Scheme
		}
		add(scheme != "" && !pulled[scheme], key+".source", "pulling from "+scheme+"://")
		for j, r := range s.Ladder.Rungs() {
			add(r.Codec != "h264" && r.Codec != "copy", fmt.Sprintf("%s.ladder[%d].codec", key, j), "encoding to "+r.Codec)
		}
	}
	return list
}

// pulled are the schemes of sources that this version knows.
var pulled = map[string]bool{"rtsp": true, "rtsps": true, "udp": true, "http": true, "https": true}

// NotYetListeners names the protocols whose listeners c wants and this version
// does not have.
func NotYetListeners(c *Config) []string {
	var list []string
	if c.RTMP.Listen != Off {
		list = append(list, "rtmp")
	}
	return list
}
