package weburl

import (
	"strconv"
	"strings"
)

// state is where the parser is; the names are the standard's.
type state int

const (
	schemeStart state = iota
	scheme
	noScheme
	specialRelativeOrAuthority
	pathOrAuthority
	relative
	relativeSlash
	specialAuthoritySlashes
	specialAuthorityIgnoreSlashes
	authority
	hostState
	hostname
	port
	file
	fileSlash
	fileHost
	pathStart
	path
	opaquePath
	query
	fragment
)

// end is the character after the last.
const end rune = -1

type parser struct {
	base *URL
	url  *URL
	// only is set where a part of a URL is replaced: the state that the
	// replacement begins in.
	only     bool
	begin    state
	input    []rune
	at       int
	state    state
	buffer   strings.Builder
	seenAt   bool
	password bool
	brackets bool
	done     bool
}

func (p *parser) run(text string, from state) error {
	p.input, p.state, p.begin = []rune(text), from, from
	for ; p.at <= len(p.input) && !p.done; p.at++ {
		c := end
		if p.at < len(p.input) {
			c = p.input[p.at]
		}
		if err := p.step(c); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) rest() string {
	if p.at+1 >= len(p.input) {
		return ""
	}
	return string(p.input[p.at+1:])
}

func (p *parser) here() string { return string(p.input[min(p.at, len(p.input)):]) }

func (p *parser) take() string {
	text := p.buffer.String()
	p.buffer.Reset()
	return text
}

func (p *parser) step(c rune) error {
	switch p.state {
	case schemeStart, scheme, noScheme:
		return p.stepScheme(c)
	case specialRelativeOrAuthority, pathOrAuthority, relative, relativeSlash, specialAuthoritySlashes, specialAuthorityIgnoreSlashes:
		p.stepRelative(c)
		return nil
	case authority:
		return p.stepAuthority(c)
	case hostState, hostname:
		return p.stepHost(c)
	case port:
		return p.stepPort(c)
	case file, fileSlash, fileHost:
		return p.stepFile(c)
	case pathStart, path:
		p.stepPath(c)
	case opaquePath, query, fragment:
		p.stepRest(c)
	}
	return nil
}

func (p *parser) stepScheme(c rune) error {
	u := p.url
	switch p.state {
	case schemeStart:
		switch {
		case alpha(c):
			p.buffer.WriteRune(c | 0x20)
			p.state = scheme
		case p.only:
			return ErrInvalid
		default:
			p.state = noScheme
			p.at--
		}
	case scheme:
		switch {
		case alpha(c) || digit(c) || c == '+' || c == '-' || c == '.':
			p.buffer.WriteString(strings.ToLower(string(c)))
		case c == ':':
			p.haveScheme()
		case p.only:
			return ErrInvalid
		default:
			p.buffer.Reset()
			p.state = noScheme
			p.at = -1
		}
	default: // noScheme
		switch {
		case p.base == nil || p.base.opaque && c != '#':
			return ErrInvalid
		case p.base.opaque:
			*u = *p.base.clone()
			u.fragment = new(string)
			p.state = fragment
		case p.base.Scheme != "file":
			p.state = relative
			p.at--
		default:
			p.state = file
			p.at--
		}
	}
	return nil
}

func (p *parser) haveScheme() {
	u, name := p.url, p.take()
	if p.only {
		if special(u.Scheme) != special(name) ||
			name == "file" && (u.Username != "" || u.Password != "" || u.Port >= 0) || u.Scheme == "file" && u.Host == "" {
			p.done = true
			return
		}
		u.Scheme = name
		if u.Port == ports[name] {
			u.Port = -1
		}
		p.done = true
		return
	}
	u.Scheme = name
	switch {
	case name == "file":
		p.state = file
	case u.special() && p.base != nil && p.base.Scheme == name:
		p.state = specialRelativeOrAuthority
	case u.special():
		p.state = specialAuthoritySlashes
	case strings.HasPrefix(p.rest(), "/"):
		p.state = pathOrAuthority
		p.at++
	default:
		u.path, u.opaque = []string{""}, true
		p.state = opaquePath
	}
}

func (p *parser) stepRelative(c rune) {
	u := p.url
	back := func(s state) { p.state = s; p.at-- }
	switch p.state {
	case specialRelativeOrAuthority:
		if c == '/' && strings.HasPrefix(p.rest(), "/") {
			p.state = specialAuthorityIgnoreSlashes
			p.at++
			return
		}
		back(relative)
	case pathOrAuthority:
		if c == '/' {
			p.state = authority
			return
		}
		back(path)
	case relative:
		u.Scheme = p.base.Scheme
		if c == '/' || u.special() && c == '\\' {
			p.state = relativeSlash
			return
		}
		s := u.Scheme
		*u = *p.base.clone()
		u.Scheme, u.fragment = s, nil
		switch c {
		case '?':
			u.query = new(string)
			p.state = query
		case '#':
			u.fragment = new(string)
			p.state = fragment
		case end:
		default:
			u.query = nil
			u.shorten()
			back(path)
		}
	case relativeSlash:
		switch {
		case u.special() && (c == '/' || c == '\\'):
			p.state = specialAuthorityIgnoreSlashes
		case c == '/':
			p.state = authority
		default:
			b := p.base
			u.Username, u.Password, u.Host, u.hasHost, u.Port = b.Username, b.Password, b.Host, b.hasHost, b.Port
			back(path)
		}
	case specialAuthoritySlashes:
		p.state = specialAuthorityIgnoreSlashes
		if c == '/' && strings.HasPrefix(p.rest(), "/") {
			p.at++
			return
		}
		p.at--
	default: // specialAuthorityIgnoreSlashes
		if c != '/' && c != '\\' {
			back(authority)
		}
	}
}

func (p *parser) ends(c rune) bool {
	return c == end || c == '/' || c == '?' || c == '#' || p.url.special() && c == '\\'
}

func (p *parser) stepAuthority(c rune) error {
	u := p.url
	switch {
	case c == '@':
		text := p.take()
		if p.seenAt {
			text = "%40" + text
		}
		p.seenAt = true
		for i, r := range text {
			if r == ':' && !p.password {
				p.password = true
				continue
			}
			_ = i
			var b strings.Builder
			escape(&b, r, inUserinfo)
			if p.password {
				u.Password += b.String()
			} else {
				u.Username += b.String()
			}
		}
	case p.ends(c):
		if p.seenAt && p.buffer.Len() == 0 {
			return ErrInvalid
		}
		p.at -= len([]rune(p.take())) + 1
		p.state = hostState
	default:
		p.buffer.WriteRune(c)
	}
	return nil
}

func (p *parser) stepHost(c rune) error {
	u := p.url
	switch {
	case p.only && u.Scheme == "file":
		p.at--
		p.state = fileHost
	case c == ':' && !p.brackets:
		if p.buffer.Len() == 0 || p.only && p.begin == hostname {
			return ErrInvalid
		}
		if err := p.setHost(p.take()); err != nil {
			return err
		}
		p.state = port
	case p.ends(c):
		p.at--
		text := p.take()
		if u.special() && text == "" || p.only && text == "" && (u.Username != "" || u.Password != "" || u.Port >= 0) {
			return ErrInvalid
		}
		if err := p.setHost(text); err != nil {
			return err
		}
		p.state = pathStart
		p.done = p.only
	default:
		if c == '[' {
			p.brackets = true
		} else if c == ']' {
			p.brackets = false
		}
		p.buffer.WriteRune(c)
	}
	return nil
}

func (p *parser) setHost(text string) error {
	h, err := host(text, p.url.special())
	if err != nil {
		return err
	}
	p.url.Host, p.url.hasHost = h, true
	return nil
}

func (p *parser) stepPort(c rune) error {
	u := p.url
	switch {
	case digit(c):
		p.buffer.WriteRune(c)
	case p.ends(c) || p.only:
		if text := p.take(); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n > 65535 {
				return ErrInvalid
			}
			u.Port = n
			if own, ok := ports[u.Scheme]; ok && own == n {
				u.Port = -1
			}
			p.done = p.only
		} else if p.only {
			return ErrInvalid
		}
		p.state = pathStart
		p.at--
	default:
		return ErrInvalid
	}
	return nil
}
