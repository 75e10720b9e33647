package config

import (
	"fmt"
	"strings"
)

// Pattern is a stream path, or a pattern of them: * stands for any text, the
// empty one and slashes included, ? for any one character. A rule for private/*
// therefore covers private/a/b as well: what guards a folder guards all of it.
type Pattern string

// Match reports whether path is, or fits, p. The empty pattern fits nothing.
// Its cost is at most len(p) × len(path).
func (p Pattern) Match(path string) bool {
	if p == "" {
		return false
	}
	i, j := 0, 0
	star, mark := -1, 0 // the last *, and how much of path it has taken so far
	for j < len(path) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == path[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

// Exact reports whether p names one path only.
func (p Pattern) Exact() bool { return !strings.ContainsAny(string(p), "*?") }

const maxElements = 8

func parsePattern(text string) (Pattern, error) {
	for _, r := range text {
		if r == '/' || r == '*' || r == '?' || r == '_' || r == '.' || r == '-' ||
			'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' {
			continue
		}
		return "", fmt.Errorf("character %q is not allowed in a path; use letters, digits, _ . - and / (or * and ? for a pattern)", r)
	}
	elements := strings.Split(text, "/")
	if len(elements) > maxElements {
		return "", fmt.Errorf("path has %d elements; %d is the most", len(elements), maxElements)
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
