package node

import (
	"strconv"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
	"github.com/millrace/millrace/jsapi/weburl"
)

func urlModule(l *loop.Loop) goja.Value {
	o := native.New(l)
	// parse(text, base): the parts, undefined where it is no URL.
	o.Func("parse", func(a native.Args) (any, error) {
		var base *weburl.URL
		if a.Given(1) {
			b, err := weburl.Parse(a.String(1), nil)
			if err != nil {
				return nil, nil //nolint:nilerr // undefined says so
			}
			base = b
		}
		u, err := weburl.Parse(a.String(0), base)
		if err != nil {
			return nil, nil //nolint:nilerr // undefined says so
		}
		return parts(u), nil
	})
	// set(href, property, value): the parts after an assignment.
	o.Func("set", func(a native.Args) (any, error) {
		u, err := weburl.Parse(a.String(0), nil)
		if err != nil {
			return nil, nil //nolint:nilerr // undefined says so
		}
		if u, err = u.Set(a.String(1), a.String(2)); err != nil {
			return nil, nil //nolint:nilerr // undefined says so
		}
		return parts(u), nil
	})
	o.Func("domainToASCII", func(a native.Args) (any, error) {
		ascii, err := weburl.ToASCII(a.String(0))
		if err != nil {
			return "", nil //nolint:nilerr // Node gives an empty string
		}
		return ascii, nil
	})
	o.Func("domainToUnicode", func(a native.Args) (any, error) { return weburl.ToUnicode(a.String(0)), nil })
	return o.Object
}

// parts are in the order that the module's JavaScript reads them.
func parts(u *weburl.URL) []any {
	port := ""
	if u.Port >= 0 {
		port = strconv.Itoa(u.Port)
	}
	return []any{
		u.String(), u.Origin(), u.Scheme + ":", u.Username, u.Password, u.HostPort(), u.Host, port,
		u.Pathname(), u.Search(), u.Hash(false),
	}
}
