package weburl

import "strings"

// Set gives one property of a URL another value, as a script's assignment
// does. A value that the property cannot have changes nothing; only for href
// is that an error.
func (u *URL) Set(property, value string) (*URL, error) {
	if property == "href" {
		return Parse(value, nil)
	}
	c := u.clone()
	noCredentials := !u.hasHost || u.Host == "" || u.Scheme == "file"
	var err error
	switch property {
	case "protocol":
		err = c.replace(value+":", schemeStart)
	case "username":
		if !noCredentials {
			c.Username = escaped(value, inUserinfo)
		}
	case "password":
		if !noCredentials {
			c.Password = escaped(value, inUserinfo)
		}
	case "host", "hostname":
		if !u.opaque {
			err = c.replace(value, map[string]state{"host": hostState, "hostname": hostname}[property])
		}
	case "port":
		switch {
		case noCredentials:
		case value == "":
			c.Port = -1
		default:
			err = c.replace(value, port)
		}
	case "pathname":
		if !u.opaque {
			c.path = nil
			err = c.replace(value, pathStart)
		}
	case "search":
		c.query = nil
		if value != "" {
			c.query = new(string)
			err = c.replace(strings.TrimPrefix(value, "?"), query)
		}
	case "hash":
		c.fragment = nil
		if value != "" {
			c.fragment = new(string)
			err = c.replace(strings.TrimPrefix(value, "#"), fragment)
		}
	}
	if err != nil {
		return u, nil //nolint:nilerr // the standard has a wrong value change nothing
	}
	return c, nil
}

func (u *URL) replace(text string, from state) error {
	p := &parser{url: u, only: true}
	return p.run(strip(text), from)
}
