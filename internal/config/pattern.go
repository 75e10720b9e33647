package config

import (
	"fmt"
	"strings"

	"github.com/millrace/millrace/internal/access"
)

// Pattern is a stream path, or a pattern of them as access.Match reads it: *
// stands for any text within an element, and as the last element for all that
// is below too; ** for any elements; ? for one character.
type Pattern string

func (p Pattern) String() string { return string(p) }

// Match reports whether path is, or fits, p. The empty pattern fits nothing.
func (p Pattern) Match(path string) bool {
	return p != "" && access.Match(string(p), path)
}

// Exact reports whether p names one path only.
func (p Pattern) Exact() bool { return !strings.ContainsAny(string(p), "*?") }

// everything reports whether p matches every path.
func (p Pattern) everything() bool { return p == "*" || p == "**" }

func parsePattern(text string) (Pattern, error) {
	for _, r := range text {
		if r == '/' || r == '*' || r == '?' || r == '_' || r == '.' || r == '-' ||
			'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' {
			continue
		}
		return "", fmt.Errorf("character %q is not allowed in a path; use letters, digits, _ . - and / (or * and ? for a pattern)", r)
	}
	if len(text) > access.MaxPathLength {
		return "", fmt.Errorf("path of %d characters; %d is the most", len(text), access.MaxPathLength)
	}
	elements := strings.Split(text, "/")
	if len(elements) > access.MaxElements {
		return "", fmt.Errorf("path has %d elements; %d is the most", len(elements), access.MaxElements)
	}
	for _, e := range elements {
		switch e {
		case "":
			return "", fmt.Errorf("path has an empty element; write it without a leading, trailing or double /")
		case ".", "..":
			return "", fmt.Errorf("path element %q is not allowed", e)
		}
	}
	return Pattern(text), nil
}
