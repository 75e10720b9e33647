package playlist

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The METHODs of EXT-X-KEY that this package knows (§4.4.4.4).
const (
	MethodNone      = "NONE"
	MethodAES128    = "AES-128"
	MethodSampleAES = "SAMPLE-AES"
)

// Identity is the KEYFORMAT of a key that is 16 octets behind its URI (§5.1).
// It is what is meant where the attribute is missing.
const Identity = "identity"

// Key is EXT-X-KEY (§4.4.4.4), or EXT-X-SESSION-KEY (§4.4.6.4). With MethodNone
// nothing else is written.
type Key struct {
	Method   string
	URI      string
	IV       *[16]byte // nil: not written; AES-128 takes the media sequence number then (§5.2)
	Format   string    // KEYFORMAT; empty means Identity
	Versions string    // KEYFORMATVERSIONS
}

func (k *Key) format() string {
	if k.Format == "" {
		return Identity
	}
	return k.Format
}

// IVOf is the initialization vector with which a segment is encrypted: the
// attribute's, or its media sequence number (§5.2).
func (k *Key) IVOf(number uint64) (iv [16]byte) {
	if k.IV != nil {
		return *k.IV
	}
	for i := range 8 {
		iv[15-i] = byte(number >> (8 * i))
	}
	return iv
}

// InForce are the keys that apply at a point of a playlist, one of each
// KEYFORMAT, in the order in which they came.
type InForce []Key

// After is what applies behind some tags: each replaces the one of its
// KEYFORMAT, and MethodNone all of them. The receiver is not changed.
func (f InForce) After(tags []Key) InForce {
	if len(tags) == 0 {
		return f
	}
	f = slices.Clone(f)
	for _, k := range tags {
		if k.Method == MethodNone {
			f = nil
			continue
		}
		f = slices.DeleteFunc(f, func(old Key) bool { return old.format() == k.format() })
		f = append(f, k)
	}
	return f
}

// Identity is the key in force whose URI yields its octets; nil if there is
// none.
func (f InForce) Identity() *Key {
	for i := range f {
		if f[i].format() == Identity {
			return &f[i]
		}
	}
	return nil
}

// Keys tells for each listed segment, and the open one at the end, which keys
// apply to it, and which to the initialization section it names.
func (m *Media) Keys() (segments, sections []InForce) {
	var force InForce
	visit := func(s *Segment) {
		if s.Map != nil {
			force = force.After(s.Map.Keys)
		}
		sections = append(sections, force)
		force = force.After(s.Keys)
		segments = append(segments, force)
	}
	for i := range m.Segments {
		visit(&m.Segments[i])
	}
	if m.Open != nil {
		visit(m.Open)
	}
	return segments, sections
}

// Place says which EXT-X-KEY tags a segment under k needs: before its
// EXT-X-MAP, where it has one, and behind that. before is the key in force, nil
// for none; again tells k also to those who know it. A key that encrypts whole
// resources (AES-128) is lifted for the initialization section, which is in the
// clear: it would need an IV of its own (§5.2).
func Place(k, before *Key, hasMap, again bool) (section, segment []Key) {
	changes := before == nil || *k != *before || again
	switch {
	case k.Method == MethodSampleAES && hasMap && changes:
		return []Key{*k}, nil
	case k.Method != MethodSampleAES && hasMap && before != nil:
		return []Key{{Method: MethodNone}}, []Key{*k}
	case changes:
		return nil, []Key{*k}
	}
	return nil, nil
}

func appendKeys(b []byte, tag string, keys []Key) []byte {
	for i := range keys {
		b = keys[i].append(append(b, tag...))
	}
	return b
}

func (k *Key) append(b []byte) []byte {
	a := attributes{b, false}
	a.plain("METHOD", k.Method)
	if k.Method == MethodNone {
		return a.end()
	}
	a.quoted("URI", k.URI)
	if k.IV != nil {
		a.plain("IV", "0x"+hex.EncodeToString(k.IV[:]))
	}
	if k.Format != "" {
		a.quoted("KEYFORMAT", k.Format)
	}
	if k.Versions != "" {
		a.quoted("KEYFORMATVERSIONS", k.Versions)
	}
	return a.end()
}

func readKey(l *list) Key {
	k := Key{Method: l.need("METHOD"), Format: l.text("KEYFORMAT"), Versions: l.text("KEYFORMATVERSIONS")}
	if strings.ContainsAny(k.Method, `,"`) {
		l.fail("METHOD", errors.New("no enumerated string"))
	}
	if k.Method == MethodNone {
		// §4.4.4.4: no other attribute may stand beside it.
		if len(l.values) > 1 {
			l.fail("METHOD", errors.New("NONE beside other attributes"))
		}
		return k
	}
	k.URI = l.need("URI")
	if text, ok := l.values["IV"]; ok {
		iv, err := readIV(text)
		l.fail("IV", err)
		k.IV = &iv
	}
	return k
}

// readIV reads a hexadecimal sequence of 128 bits (§4.2); leading zeros may be
// missing.
func readIV(s string) (iv [16]byte, err error) {
	digits, ok := strings.CutPrefix(strings.ToLower(s), "0x")
	if !ok || digits == "" || len(digits) > 32 {
		return iv, fmt.Errorf("%q is no hexadecimal number of at most 128 bits", s)
	}
	_, err = hex.Decode(iv[:], []byte(strings.Repeat("0", 32-len(digits))+digits))
	return iv, err
}
