package access

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// forwarding lists the headers that only a proxy adds. Any of them from
// somebody who is not a trusted proxy means that the request came from
// elsewhere, or that its sender wants us to believe so.
var forwarding = []string{
	"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto",
	"X-Forwarded-Port", "X-Forwarded-Server", "X-Forwarded-Prefix", "X-Forwarded-By",
	"X-Original-Forwarded-For", "X-Original-Host", "X-Real-Ip", "X-Client-Ip",
	"X-Cluster-Client-Ip", "X-Envoy-External-Address", "Via", "Cf-Connecting-Ip",
	"True-Client-Ip", "Fastly-Client-Ip", "Fly-Client-Ip", "X-Azure-Clientip",
}

// Client is who sent an HTTP request, as far as it can be believed.
type Client struct {
	// Addr is the address of the client itself where trusted proxies name
	// it, else of whoever opened the connection. It may be invalid.
	Addr netip.Addr

	// Scheme and Host are what the client sees in its address bar; Host has
	// the port where it is not the scheme's own.
	Scheme, Host string

	// Loopback: the client is a person or program on this machine.
	Loopback bool

	// Reason says in words why Loopback is false.
	Reason string
}

// Client judges a request. It counts as loopback only where all of these hold:
// the connection, or the client that trusted proxies name, comes from a
// loopback address; the Host is a loopback address or "localhost" literally
// (else a foreign name was made to resolve to it: DNS rebinding); no
// forwarding header came from a proxy that is not trusted; and no browser says
// that another site's page sent it.
func (p Proxies) Client(r *http.Request) Client {
	c := Client{Addr: parseAddr(r.RemoteAddr), Scheme: "http", Host: r.Host}
	if r.TLS != nil {
		c.Scheme = "https"
	}
	forwarded := hasForwarding(r.Header)
	if forwarded && !p.Trust(c.Addr) {
		c.Reason = "it was forwarded by a proxy that is not in http.trustedProxies"
		return c
	}
	if forwarded && !p.unwrap(&c, r.Header) {
		c.Reason = "the proxy does not say whom it forwards for"
		return c
	}
	switch {
	case !c.Addr.IsLoopback():
		c.Reason = "it does not come from this machine"
	case !loopbackHost(c.Host):
		c.Reason = "its Host is neither localhost nor a loopback address"
	case !forwarded && r.ProtoMajor == 1 && r.ProtoMinor == 0:
		// What nginx speaks to its upstream unless told otherwise, with the
		// upstream's own Host and no header that betrays it.
		c.Reason = "it speaks HTTP/1.0, as a reverse proxy with default settings does"
	case ForeignOrigin(r.Header, c.Host):
		c.Reason = "another site's page sent it"
	default:
		c.Loopback = true
	}
	return c
}

// StripForwarding removes what only proxies say of whom they forward for.
func StripForwarding(h http.Header) {
	for _, name := range forwarding {
		delete(h, name)
	}
}

func hasForwarding(h http.Header) bool {
	for _, name := range forwarding {
		if _, ok := h[name]; ok {
			return true
		}
	}
	return false
}

// unwrap takes the client from a trusted proxy's headers: the last address of
// X-Forwarded-For that is not a trusted proxy's itself, since everything
// before it could have been sent by that client. It reports whether there is
// one. A proxy that speaks only RFC 7239 (Forwarded), or none of both, is not
// understood; then nobody is loopback.
func (p Proxies) unwrap(c *Client, h http.Header) bool {
	list := strings.Split(strings.Join(h["X-Forwarded-For"], ","), ",")
	var a netip.Addr
	for i := len(list) - 1; i >= 0; i-- {
		a = parseAddr(strings.TrimSpace(list[i]))
		if !a.IsValid() {
			return false
		}
		if !p.Trust(a) {
			break
		}
	}
	c.Addr = a
	if s := strings.ToLower(last(h, "X-Forwarded-Proto")); s == "http" || s == "https" {
		c.Scheme = s
	}
	if host := last(h, "X-Forwarded-Host"); validHost(host) {
		c.Host = host
	}
	return true
}

// last is the value that the nearest proxy added.
func last(h http.Header, name string) string {
	values := h[name]
	if len(values) == 0 {
		return ""
	}
	v := values[len(values)-1]
	return strings.TrimSpace(v[strings.LastIndexByte(v, ',')+1:])
}

// validHost keeps what a proxy names from breaking out of the URLs that are
// made of it.
func validHost(host string) bool {
	if host == "" || len(host) > 255 {
		return false
	}
	for i := range len(host) {
		c := host[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(".-_:[]", c) >= 0 {
			continue
		}
		return false
	}
	return true
}

// ForeignOrigin reports whether a browser says that a page of another site
// sent the request to host. Only browsers tell, and only they need to be
// asked: a page can make its visitor's browser send what it likes to this
// machine, but cannot make it lie about that.
func ForeignOrigin(h http.Header, host string) bool {
	switch h.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site": // localhost:3000 is the same site as localhost:8080, and somebody else's page
		return true
	}
	for _, name := range []string{"Origin", "Referer"} {
		for _, v := range h[name] {
			u, err := url.Parse(v)
			if err != nil || u.Host == "" || !strings.EqualFold(u.Host, host) {
				return true
			}
		}
	}
	return false
}
