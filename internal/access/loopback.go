package access

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// IsLoopback reports whether a socket's remote address is this machine.
// A nil address, a unix socket and anything unknown are not.
func IsLoopback(remote net.Addr) bool {
	return Addr(remote).IsLoopback()
}

// Addr is the IP of a socket address, IPv4 also where it came mapped into
// IPv6; invalid where there is none.
func Addr(remote net.Addr) netip.Addr {
	if remote == nil {
		return netip.Addr{}
	}
	return parseAddr(remote.String())
}

// parseAddr takes "IP", "IP:port" and "[IP]:port".
func parseAddr(s string) netip.Addr {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone("")
	}
	if len(s) > 2 && s[0] == '[' && s[len(s)-1] == ']' {
		s = s[1 : len(s)-1]
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

// Proxies are the addresses that are believed about whom they forward for.
type Proxies []netip.Prefix

// ParseProxies reads addresses ("10.0.0.2") and networks ("10.0.0.0/8").
func ParseProxies(list []string) (Proxies, error) {
	var p Proxies
	for _, s := range list {
		prefix, err := netip.ParsePrefix(s)
		if err != nil {
			a, aerr := netip.ParseAddr(s)
			if aerr != nil {
				return nil, fmt.Errorf("trusted proxy %q: neither an address nor a network", s)
			}
			a = a.Unmap()
			prefix = netip.PrefixFrom(a, a.BitLen())
		}
		p = append(p, prefix.Masked())
	}
	return p, nil
}

// Trust reports whether a is one of the proxies.
func (p Proxies) Trust(a netip.Addr) bool {
	if !a.IsValid() {
		return false
	}
	for _, prefix := range p {
		if prefix.Contains(a) {
			return true
		}
	}
	return false
}

// loopbackHost reports whether a Host header names this machine and can name
// no other: a literal loopback address or "localhost", any port. A name that
// merely resolves to loopback today is not enough (DNS rebinding).
func loopbackHost(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	return strings.EqualFold(host, "localhost") || parseAddr(host).IsLoopback()
}
