package ingest

import (
	"fmt"
	"strings"
)

// Limits of a stream's path.
const (
	maxPathElements = 8
	maxPathElement  = 128 // bytes
)

// CheckPath tells whether a path may name a stream: 1 to 8 elements of
// [A-Za-z0-9_.-], none of them "." or "..", no slash at either end. The error
// wraps ErrBadPath and says what is wrong.
func CheckPath(path string) error {
	elements := strings.Split(path, "/")
	if len(elements) > maxPathElements {
		return fmt.Errorf("%w: more than %d elements", ErrBadPath, maxPathElements)
	}
	for _, e := range elements {
		switch {
		case e == "":
			return fmt.Errorf("%w: empty element", ErrBadPath)
		case e == "." || e == "..":
			return fmt.Errorf("%w: element %q", ErrBadPath, e)
		case len(e) > maxPathElement:
			return fmt.Errorf("%w: element of more than %d bytes", ErrBadPath, maxPathElement)
		}
		for i := range len(e) {
			if !pathByte(e[i]) {
				return fmt.Errorf("%w: character %q", ErrBadPath, e[i])
			}
		}
	}
	return nil
}

func pathByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '_' || c == '.' || c == '-'
}
