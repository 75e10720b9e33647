package access

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func request(remote, host string, header ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr, r.Host = remote, host
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

func TestWhoIsLoopback(t *testing.T) {
	const local, here = "127.0.0.1:5000", "localhost:8080"
	none := Proxies(nil)
	nginx, err := ParseProxies([]string{"127.0.0.1", "10.0.0.0/8", "::1"})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		proxies Proxies
		r       *http.Request
		want    bool
	}{
		"curl on this machine":             {none, request(local, here), true},
		"by address":                       {none, request(local, "127.0.0.1:8080"), true},
		"another loopback address":         {none, request("127.8.9.1:1", "127.0.0.2"), true},
		"IPv6":                             {none, request("[::1]:5000", "[::1]:8080"), true},
		"IPv6 without port":                {none, request("[::1]:5000", "[::1]"), true},
		"IPv4 mapped":                      {none, request("[::ffff:127.0.0.1]:5000", here), true},
		"host in capitals":                 {none, request(local, "LocalHost:8080"), true},
		"our own page":                     {none, request(local, here, "Origin", "http://localhost:8080", "Referer", "http://localhost:8080/", "Sec-Fetch-Site", "same-origin"), true},
		"typed into the address bar":       {none, request(local, here, "Sec-Fetch-Site", "none"), true},
		"from outside":                     {none, request("192.0.2.1:5000", here), false},
		"from outside, IPv6":               {none, request("[2001:db8::1]:5000", here), false},
		"no remote address":                {none, request("", here), false},
		"unix socket":                      {none, request("@", here), false},
		"private network":                  {none, request("10.0.0.1:5000", here), false},
		"unspecified address":              {none, request("0.0.0.0:5000", here), false},
		"DNS rebinding":                    {none, request(local, "evil.example:8080"), false},
		"rebinding, name with localhost":   {none, request(local, "localhost.evil.example"), false},
		"rebinding, name with an address":  {none, request(local, "127.0.0.1.nip.example"), false},
		"rebinding, trailing dot":          {none, request(local, "localhost."), false},
		"rebinding, userinfo":              {none, request(local, "localhost@evil.example"), false},
		"no Host":                          {none, request(local, ""), false},
		"Host 0.0.0.0":                     {none, request(local, "0.0.0.0:8080"), false},
		"Host decimal":                     {none, request(local, "2130706433"), false},
		"Host octal":                       {none, request(local, "0177.0.0.1"), false},
		"another site's page":              {none, request(local, here, "Origin", "https://evil.example"), false},
		"a sandboxed page":                 {none, request(local, here, "Origin", "null"), false},
		"an empty Origin":                  {none, request(local, here, "Origin", ""), false},
		"another port of this machine":     {none, request(local, here, "Origin", "http://localhost:3000"), false},
		"our Origin and another":           {none, request(local, here, "Origin", "http://localhost:8080", "Origin", "https://evil.example"), false},
		"another site's image":             {none, request(local, here, "Sec-Fetch-Site", "cross-site"), false},
		"same site, other port":            {none, request(local, here, "Sec-Fetch-Site", "same-site"), false},
		"a link from another site":         {none, request(local, here, "Referer", "https://evil.example/x"), false},
		"proxy, not trusted":               {none, request(local, here, "X-Forwarded-For", "192.0.2.1"), false},
		"forged: we are local":             {none, request(local, here, "X-Forwarded-For", "127.0.0.1"), false},
		"forged from outside":              {none, request("192.0.2.1:1", here, "X-Forwarded-For", "127.0.0.1"), false},
		"forwarding header, empty":         {none, request(local, here, "X-Forwarded-For", ""), false},
		"RFC 7239":                         {none, request(local, here, "Forwarded", "for=127.0.0.1"), false},
		"X-Real-IP":                        {none, request(local, here, "X-Real-IP", "127.0.0.1"), false},
		"Via":                              {none, request(local, here, "Via", "1.1 proxy"), false},
		"trusted proxy, local client":      {nginx, request(local, here, "X-Forwarded-For", "127.0.0.1"), true},
		"trusted proxy, remote client":     {nginx, request(local, here, "X-Forwarded-For", "192.0.2.1"), false},
		"trusted proxy, forged before":     {nginx, request(local, here, "X-Forwarded-For", "127.0.0.1, 192.0.2.1"), false},
		"trusted proxy, two headers":       {nginx, request(local, here, "X-Forwarded-For", "127.0.0.1", "X-Forwarded-For", "192.0.2.1"), false},
		"two trusted proxies":              {nginx, request(local, here, "X-Forwarded-For", "192.0.2.1, 10.1.1.1"), false},
		"two trusted proxies, forged":      {nginx, request(local, here, "X-Forwarded-For", "127.0.0.1, 192.0.2.1, 10.1.1.1"), false},
		"trusted proxy, rubbish":           {nginx, request(local, here, "X-Forwarded-For", "127.0.0.1, unknown"), false},
		"trusted proxy, no list":           {nginx, request(local, here, "X-Real-IP", "127.0.0.1"), false},
		"trusted proxy, its own name":      {nginx, request(local, here, "X-Forwarded-For", "127.0.0.1", "X-Forwarded-Host", "media.example"), false},
		"trusted proxy, foreign page":      {nginx, request(local, here, "X-Forwarded-For", "127.0.0.1", "Origin", "https://evil.example"), false},
		"trusted, but the headers are not": {nginx, request("192.0.2.9:1", here, "X-Forwarded-For", "127.0.0.1"), false},
	} {
		got := c.proxies.Client(c.r)
		if got.Loopback != c.want {
			t.Errorf("%s: Loopback = %v (%s)", name, got.Loopback, got.Reason)
		}
		if !got.Loopback && got.Reason == "" {
			t.Errorf("%s: no reason given", name)
		}
	}
}

// nginx's plain proxy_pass speaks HTTP/1.0 with the upstream's name as Host
// and adds no header: from the request alone it is a local client.
func TestDefaultReverseProxyIsNotLoopback(t *testing.T) {
	r := request("127.0.0.1:5000", "127.0.0.1:8080", "Connection", "close")
	r.Proto, r.ProtoMinor = "HTTP/1.0", 0
	if c := Proxies(nil).Client(r); c.Loopback {
		t.Fatal("whole world is loopback behind nginx")
	}
}

func TestClientAddressAndHost(t *testing.T) {
	proxies, err := ParseProxies([]string{"10.0.0.0/8", "::ffff:192.0.2.9"})
	if err != nil {
		t.Fatal(err)
	}
	secure := request("192.0.2.1:1", "media.example")
	secure.TLS = &tls.ConnectionState{}
	for name, c := range map[string]struct {
		r                  *http.Request
		addr, scheme, host string
	}{
		"direct":             {request("192.0.2.1:1", "h:8080"), "192.0.2.1", "http", "h:8080"},
		"direct TLS":         {secure, "192.0.2.1", "https", "media.example"},
		"forged":             {request("192.0.2.1:1", "h", "X-Forwarded-For", "1.1.1.1", "X-Forwarded-Host", "evil", "X-Forwarded-Proto", "https"), "192.0.2.1", "http", "h"},
		"through a proxy":    {request("10.0.0.2:1", "up:8080", "X-Forwarded-For", "198.51.100.7", "X-Forwarded-Host", "media.example", "X-Forwarded-Proto", "https"), "198.51.100.7", "https", "media.example"},
		"mapped":             {request("192.0.2.9:1", "up", "X-Forwarded-For", "198.51.100.7"), "198.51.100.7", "http", "up"},
		"with a port":        {request("10.0.0.2:1", "up", "X-Forwarded-For", "[2001:db8::7]:443"), "2001:db8::7", "http", "up"},
		"host breaks out":    {request("10.0.0.2:1", "up", "X-Forwarded-For", "198.51.100.7", "X-Forwarded-Host", `evil"><script>`), "198.51.100.7", "http", "up"},
		"proto breaks out":   {request("10.0.0.2:1", "up", "X-Forwarded-For", "198.51.100.7", "X-Forwarded-Proto", "javascript"), "198.51.100.7", "http", "up"},
		"nearest proxy wins": {request("10.0.0.2:1", "up", "X-Forwarded-For", "198.51.100.7", "X-Forwarded-Host", "forged, media.example"), "198.51.100.7", "http", "media.example"},
	} {
		got := proxies.Client(c.r)
		if got.Addr.String() != c.addr || got.Scheme != c.scheme || got.Host != c.host {
			t.Errorf("%s: %v %s %s", name, got.Addr, got.Scheme, got.Host)
		}
	}
}

func TestParseProxies(t *testing.T) {
	for _, bad := range []string{"", "proxy.example", "10.0.0.0/33", "10.0.0.1:80"} {
		if _, err := ParseProxies([]string{bad}); err == nil || !strings.Contains(err.Error(), "trusted proxy") {
			t.Errorf("ParseProxies(%q) = %v", bad, err)
		}
	}
}

func TestIsLoopback(t *testing.T) {
	for addr, want := range map[string]bool{"127.0.0.1": true, "::1": true, "::ffff:127.0.0.1": true, "10.0.0.1": false, "0.0.0.0": false, "fe80::1": false} {
		if got := IsLoopback(&net.TCPAddr{IP: net.ParseIP(addr), Port: 1}); got != want {
			t.Errorf("IsLoopback(%s) = %v", addr, got)
		}
		if got := IsLoopback(&net.UDPAddr{IP: net.ParseIP(addr), Port: 1}); got != want {
			t.Errorf("IsLoopback(udp %s) = %v", addr, got)
		}
	}
	if IsLoopback(nil) || IsLoopback(&net.UnixAddr{Name: "/tmp/x", Net: "unix"}) {
		t.Error("no IP is no loopback")
	}
}

func FuzzClient(f *testing.F) {
	f.Add("127.0.0.1:1", "localhost", "127.0.0.1", "", "HTTP")
	f.Add("192.0.2.1:1", "127.0.0.1", "", "null", "")
	f.Fuzz(func(t *testing.T, remote, host, xff, origin, proto string) {
		r := request(remote, host, "X-Forwarded-For", xff, "Origin", origin, "X-Forwarded-Proto", proto)
		if c := Proxies(nil).Client(r); c.Loopback {
			t.Fatal("a forwarded request became loopback")
		}
		r.Header.Del("X-Forwarded-For")
		r.Header.Del("X-Forwarded-Proto")
		if c := Proxies(nil).Client(r); c.Loopback && (!parseAddr(remote).IsLoopback() || !loopbackHost(host)) {
			t.Fatalf("%q %q became loopback", remote, host)
		}
	})
}
