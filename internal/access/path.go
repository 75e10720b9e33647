package access

import (
	"errors"
	"fmt"
	"strings"
)

// Limits of a stream path.
const (
	MaxElements   = 8
	MaxPathLength = 256
)

// ErrBadPath is wrapped by every error of CheckPath.
var ErrBadPath = errors.New("bad stream path")

// CheckPath reports why path cannot name a stream: it must be 1 to 8 elements
// of [A-Za-z0-9_.-] joined by single slashes, none of them "." or "..", and at
// most MaxPathLength bytes in all.
func CheckPath(path string) error {
	if len(path) > MaxPathLength {
		return fmt.Errorf("%w: longer than %d bytes", ErrBadPath, MaxPathLength)
	}
	if n := strings.Count(path, "/") + 1; n > MaxElements {
		return fmt.Errorf("%w: %d elements, at most %d are allowed", ErrBadPath, n, MaxElements)
	}
	for element := range strings.SplitSeq(path, "/") {
		if err := checkElement(element); err != nil {
			return err
		}
	}
	return nil
}

// CheckElements is CheckPath without its limit of 8, for what follows a
// stream's path in a URL.
func CheckElements(path string) error {
	for element := range strings.SplitSeq(path, "/") {
		if err := checkElement(element); err != nil {
			return err
		}
	}
	return nil
}

func checkElement(e string) error {
	switch e {
	case "":
		return fmt.Errorf("%w: an element is empty", ErrBadPath)
	case ".", "..":
		return fmt.Errorf("%w: %q is no element", ErrBadPath, e)
	}
	for i := range len(e) {
		c := e[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '.' || c == '-' {
			continue
		}
		return fmt.Errorf("%w: %q is not one of A-Z a-z 0-9 _ . -", ErrBadPath, c)
	}
	return nil
}

// Match reports whether a rule's pattern covers path. Within an element, "*"
// stands for any run of characters and "?" for one. A last element "*" covers
// everything below as well, so that "private/*" leaves no "private/a/b" open;
// "**" stands for any number of elements, none included. A pattern without
// wildcards is the path itself.
func Match(pattern, path string) bool {
	return matchElements(strings.Split(pattern, "/"), strings.Split(path, "/"))
}

// matchElements is linear but for "**", of which only the last one seen needs
// to be tried again: the classic two-pointer glob, over elements.
func matchElements(pattern, path []string) bool {
	p, s := 0, 0
	star, mark := -1, 0
	for s < len(path) {
		switch {
		case p < len(pattern) && pattern[p] == "**":
			star, mark = p, s
			p++
			continue
		case p < len(pattern) && p == len(pattern)-1 && pattern[p] == "*":
			return path[s] != ""
		case p < len(pattern) && matchElement(pattern[p], path[s]):
			p++
			s++
			continue
		case star >= 0:
			mark++
			p, s = star+1, mark
			continue
		}
		return false
	}
	for p < len(pattern) && pattern[p] == "**" {
		p++
	}
	return p == len(pattern)
}

func matchElement(pattern, s string) bool {
	p, i := 0, 0
	star, mark := -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
