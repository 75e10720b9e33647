package weburl

import "strings"

func (p *parser) stepFile(c rune) error {
	u := p.url
	switch p.state {
	case file:
		u.Scheme = "file"
		u.Host, u.hasHost = "", true
		switch {
		case c == '/' || c == '\\':
			p.state = fileSlash
		case p.base != nil && p.base.Scheme == "file":
			p.relativeFile(c)
		default:
			p.state = path
			p.at--
		}
	case fileSlash:
		if c == '/' || c == '\\' {
			p.state = fileHost
			return nil
		}
		if b := p.base; b != nil && b.Scheme == "file" {
			u.Host, u.hasHost = b.Host, b.hasHost
			if !beginsWithDrive(p.here()) && len(b.path) > 0 && isDrive(b.path[0], true) {
				u.path = append(u.path, b.path[0])
			}
		}
		p.state = path
		p.at--
	default: // fileHost
		return p.fileHost(c)
	}
	return nil
}

func (p *parser) relativeFile(c rune) {
	u := p.url
	*u = *p.base.clone()
	u.fragment = nil
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
		if beginsWithDrive(p.here()) {
			u.path = nil
		} else {
			u.shorten()
		}
		p.state = path
		p.at--
	}
}

func (p *parser) fileHost(c rune) error {
	u := p.url
	if c != end && c != '/' && c != '\\' && c != '?' && c != '#' {
		p.buffer.WriteRune(c)
		return nil
	}
	p.at--
	text := p.buffer.String()
	switch {
	case !p.only && isDrive(text, false):
		p.state = path // the buffer is the path's first element
	case text == "":
		u.Host, u.hasHost = "", true
		p.done = p.only
		p.state = pathStart
	default:
		p.buffer.Reset()
		if err := p.setHost(text); err != nil {
			return err
		}
		if u.Host == "localhost" {
			u.Host = ""
		}
		p.done = p.only
		p.state = pathStart
	}
	return nil
}

func (p *parser) stepPath(c rune) {
	u := p.url
	if p.state == pathStart {
		switch {
		case u.special():
			p.state = path
			if c != '/' && c != '\\' {
				p.at--
			}
		case !p.only && c == '?':
			u.query = new(string)
			p.state = query
		case !p.only && c == '#':
			u.fragment = new(string)
			p.state = fragment
		case c != end:
			p.state = path
			if c != '/' {
				p.at--
			}
		case p.only && !u.hasHost:
			u.path = append(u.path, "")
		}
		return
	}
	slash := c == '/' || u.special() && c == '\\'
	if c != end && !slash && (p.only || c != '?' && c != '#') {
		escape(&p.buffer, c, inPath)
		return
	}
	p.element(p.take(), slash)
	switch c {
	case '?':
		u.query = new(string)
		p.state = query
	case '#':
		u.fragment = new(string)
		p.state = fragment
	}
}

// element adds one element of the path; slash says that another follows.
func (p *parser) element(text string, slash bool) {
	u := p.url
	switch strings.ReplaceAll(strings.ToLower(text), "%2e", ".") {
	case "..":
		u.shorten()
		if !slash {
			u.path = append(u.path, "")
		}
	case ".":
		if !slash {
			u.path = append(u.path, "")
		}
	default:
		if u.Scheme == "file" && len(u.path) == 0 && isDrive(text, false) {
			text = text[:1] + ":"
		}
		u.path = append(u.path, text)
	}
}

func (p *parser) stepRest(c rune) {
	u := p.url
	switch {
	case p.state == opaquePath && c == '?' || p.state == opaquePath && c == '#':
		if c == '?' {
			u.query = new(string)
			p.state = query
		} else {
			u.fragment = new(string)
			p.state = fragment
		}
	case p.state == query && c == '#' && !p.only:
		u.fragment = new(string)
		p.state = fragment
	case c == end:
	case p.state == opaquePath:
		u.path[0] += escaped(string(c), "")
	case p.state == query && u.special():
		*u.query += escaped(string(c), inSpecial)
	case p.state == query:
		*u.query += escaped(string(c), inQuery)
	default:
		*u.fragment += escaped(string(c), inFragment)
	}
}
