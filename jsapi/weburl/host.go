package weburl

import (
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// profile is what a host's name goes through, as browsers do it.
var profile = idna.New(
	idna.MapForLookup(), idna.BidiRule(), idna.CheckHyphens(false), idna.CheckJoiners(true),
	idna.StrictDomainName(false), idna.Transitional(false), idna.VerifyDNSLength(false),
)

const (
	forbiddenHost   = "\x00\t\n\r #/:<>?@[\\]^|"
	forbiddenDomain = forbiddenHost + "%\x7f"
)

// host parses a host: an address in brackets, an opaque one, a domain, IPv4.
func host(text string, isSpecial bool) (string, error) {
	if strings.HasPrefix(text, "[") {
		if !strings.HasSuffix(text, "]") {
			return "", ErrInvalid
		}
		return ipv6(text[1 : len(text)-1])
	}
	if !isSpecial {
		if strings.ContainsAny(text, forbiddenHost) {
			return "", ErrInvalid
		}
		return escaped(text, ""), nil
	}
	domain := unescape(text)
	if !utf8.ValidString(domain) {
		return "", ErrInvalid
	}
	ascii, err := ToASCII(domain)
	if err != nil {
		return "", err
	}
	if numeric(ascii) {
		return ipv4(ascii)
	}
	return ascii, nil
}

// ToASCII is a domain as it is asked for.
func ToASCII(domain string) (string, error) {
	ascii, err := profile.ToASCII(domain)
	if err != nil || ascii == "" || strings.ContainsAny(ascii, forbiddenDomain) || control(ascii) {
		return "", ErrInvalid
	}
	return strings.ToLower(ascii), nil
}

// ToUnicode is a domain as it is shown.
func ToUnicode(domain string) string {
	text, err := profile.ToUnicode(domain)
	if err != nil {
		return ""
	}
	return text
}

func control(s string) bool {
	return strings.ContainsFunc(s, func(c rune) bool { return c <= 0x1f })
}

func ipv6(text string) (string, error) {
	a, err := netip.ParseAddr(text)
	if err != nil || !a.Is6() || a.Zone() != "" {
		return "", ErrInvalid
	}
	b := a.As16()
	// The standard writes what is mapped from IPv4 in hexadecimal too.
	return "[" + shortest(b) + "]", nil
}

// shortest is an address with its first longest run of zeros left out.
func shortest(b [16]byte) string {
	var pieces [8]int
	for i := range pieces {
		pieces[i] = int(b[2*i])<<8 | int(b[2*i+1])
	}
	from, length := -1, 1
	for i := 0; i < 8; i++ {
		n := 0
		for i+n < 8 && pieces[i+n] == 0 {
			n++
		}
		if n > length {
			from, length = i, n
		}
		i += n
	}
	var out strings.Builder
	for i := 0; i < 8; i++ {
		if i == from {
			out.WriteString("::")
			i += length - 1
			continue
		}
		if i > 0 && i != from+length {
			out.WriteByte(':')
		} else if i > 0 && from < 0 {
			out.WriteByte(':')
		}
		out.WriteString(strconv.FormatInt(int64(pieces[i]), 16))
	}
	return out.String()
}

// numeric tells whether a domain ends in a number, and so is an IPv4 address.
func numeric(domain string) bool {
	parts := strings.Split(domain, ".")
	if parts[len(parts)-1] == "" {
		if len(parts) == 1 {
			return false
		}
		parts = parts[:len(parts)-1]
	}
	last := parts[len(parts)-1]
	if last != "" && strings.Trim(last, "0123456789") == "" {
		return true
	}
	_, ok := number(last)
	return ok
}

func ipv4(text string) (string, error) {
	parts := strings.Split(strings.TrimSuffix(text, "."), ".")
	if len(parts) > 4 {
		return "", ErrInvalid
	}
	var address uint64
	for i, part := range parts {
		n, ok := number(part)
		last := i == len(parts)-1
		if !ok || !last && n > 255 || last && n >= 1<<(8*(5-len(parts))) {
			return "", ErrInvalid
		}
		if last {
			address += n
		} else {
			address += n << (8 * (3 - i))
		}
	}
	b := [4]byte{byte(address >> 24), byte(address >> 16), byte(address >> 8), byte(address)}
	return netip.AddrFrom4(b).String(), nil
}

// number is one part of an IPv4 address: decimal, octal or hexadecimal.
func number(text string) (uint64, bool) {
	base := 10
	switch {
	case text == "":
		return 0, false
	case strings.HasPrefix(text, "0x") || strings.HasPrefix(text, "0X"):
		text, base = text[2:], 16
	case len(text) > 1 && text[0] == '0':
		text, base = text[1:], 8
	}
	if text == "" {
		return 0, true
	}
	if strings.ContainsAny(text, "+-_") {
		return 0, false
	}
	n, err := strconv.ParseUint(text, base, 64)
	return n, err == nil
}
