package access

import (
	"crypto/sha256"
	"crypto/subtle"
)

// Rule says which key opens the paths that Path covers; see Match.
type Rule struct {
	Path string
	Key  string
}

// Rules are alternatives: any key of any rule that covers a path opens it.
type Rules []Rule

// Decision is the answer to "may they?".
type Decision uint8

// The decisions. Only Allowed lets anybody in.
const (
	Closed   Decision = iota // no key would help: no rule covers the path
	NeedKey                  // a key is needed and none was offered
	WrongKey                 // the key offered opens nothing here
	Allowed
)

func (d Decision) String() string {
	switch d {
	case Allowed:
		return "allowed"
	case NeedKey:
		return "key needed"
	case WrongKey:
		return "wrong key"
	}
	return "closed"
}

// Cover reports whether any rule covers path.
func (r Rules) Cover(path string) bool {
	for i := range r {
		if Match(r[i].Path, path) {
			return true
		}
	}
	return false
}

// Decide answers for one path. same reports whether a rule's key is the one
// that was offered; nil means that none was. It is a function so that a wire
// digest can be checked against each candidate; see Is for plain keys. Every
// rule that covers the path is tried, whichever matches, so that the time
// taken says nothing about which.
func (r Rules) Decide(path string, same func(key string) bool) Decision {
	d := Closed
	for i := range r {
		if !Match(r[i].Path, path) {
			continue
		}
		d = max(d, NeedKey)
		if same == nil {
			continue
		}
		d = max(d, WrongKey)
		if r[i].Key != "" && same(r[i].Key) {
			d = Allowed
		}
	}
	return d
}

// Is returns the function that Decide wants for a key that was offered in
// plain; nil for an empty one.
func Is(offered string) func(key string) bool {
	if offered == "" {
		return nil
	}
	return func(key string) bool { return Equal(key, offered) }
}

// Equal compares two secrets in a time that depends on neither. Nothing equals
// an empty secret, not even another one.
func Equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1 && a != ""
}
