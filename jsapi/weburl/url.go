package weburl

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// URL is a URL record. Its zero value is not a valid one.
type URL struct {
	Scheme             string
	Username, Password string
	Host               string
	hasHost            bool
	Port               int // -1: none, or the scheme's own
	path               []string
	opaque             bool // the path is one text, path[0]
	query, fragment    *string
}

// ErrInvalid is why a text is no URL.
var ErrInvalid = errors.New("invalid URL")

// ports are those of the special schemes.
var ports = map[string]int{"ftp": 21, "file": -1, "http": 80, "https": 443, "ws": 80, "wss": 443}

func special(scheme string) bool { _, ok := ports[scheme]; return ok }

func (u *URL) special() bool { return special(u.Scheme) }

// Parse parses a text; base, which may be nil, is what a relative one starts
// from.
func Parse(text string, base *URL) (*URL, error) {
	text = strings.TrimFunc(text, func(c rune) bool { return c <= ' ' })
	p := &parser{base: base, url: &URL{Port: -1}}
	if err := p.run(strip(text), schemeStart); err != nil {
		return nil, err
	}
	return p.url, nil
}

func strip(text string) string {
	return strings.Map(func(c rune) rune {
		if c == '\t' || c == '\n' || c == '\r' {
			return -1
		}
		return c
	}, text)
}

// clone is a copy that shares nothing that changes.
func (u *URL) clone() *URL {
	c := *u
	c.path = slices.Clone(u.path)
	return &c
}

// String is the href.
func (u *URL) String() string { return u.withoutFragment() + u.Hash(true) }

func (u *URL) withoutFragment() string {
	var b strings.Builder
	b.WriteString(u.Scheme + ":")
	if u.hasHost {
		b.WriteString("//")
		if u.Username != "" || u.Password != "" {
			b.WriteString(u.Username)
			if u.Password != "" {
				b.WriteString(":" + u.Password)
			}
			b.WriteByte('@')
		}
		b.WriteString(u.HostPort())
	} else if !u.opaque && len(u.path) > 1 && u.path[0] == "" {
		b.WriteString("/.")
	}
	b.WriteString(u.Pathname())
	if u.query != nil {
		b.WriteString("?" + *u.query)
	}
	return b.String()
}

// HostPort is the host, with the port where it is not the scheme's.
func (u *URL) HostPort() string {
	if u.Port < 0 {
		return u.Host
	}
	return u.Host + ":" + strconv.Itoa(u.Port)
}

// Pathname is the path as text.
func (u *URL) Pathname() string {
	if u.opaque {
		return u.path[0]
	}
	if len(u.path) == 0 {
		return ""
	}
	return "/" + strings.Join(u.path, "/")
}

// Search is the query with its ?, empty where there is nothing after it.
func (u *URL) Search() string {
	if u.query == nil || *u.query == "" {
		return ""
	}
	return "?" + *u.query
}

// Hash is the fragment with its #; bare gives it where nothing follows too.
func (u *URL) Hash(bare bool) string {
	if u.fragment == nil || *u.fragment == "" && !bare {
		return ""
	}
	return "#" + *u.fragment
}

// Origin is who it belongs to: null where it is opaque.
func (u *URL) Origin() string {
	switch u.Scheme {
	case "http", "https", "ws", "wss", "ftp":
		return u.Scheme + "://" + u.HostPort()
	case "blob":
		if inner, err := Parse(u.Pathname(), nil); err == nil && (inner.Scheme == "http" || inner.Scheme == "https") {
			return inner.Origin()
		}
	}
	return "null"
}

func (u *URL) shorten() {
	if u.Scheme == "file" && len(u.path) == 1 && isDrive(u.path[0], true) {
		return
	}
	if len(u.path) > 0 {
		u.path = u.path[:len(u.path)-1]
	}
}

// isDrive tells a Windows drive letter: C: or C|.
func isDrive(s string, normal bool) bool {
	return len(s) == 2 && alpha(rune(s[0])) && (s[1] == ':' || !normal && s[1] == '|')
}

func beginsWithDrive(s string) bool {
	return len(s) >= 2 && isDrive(s[:2], false) && (len(s) == 2 || strings.IndexByte("/\\?#", s[2]) >= 0)
}

func alpha(c rune) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func digit(c rune) bool { return c >= '0' && c <= '9' }
