package pattern

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// span is the characters from low to high.
type span struct{ low, high rune }

// set is characters, as spans in order that do not touch.
type set []span

func setOf(spans []span) set {
	spans = slices.Clone(spans)
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.low, b.low) })
	var out set
	for _, s := range spans {
		if last := len(out) - 1; last >= 0 && s.low <= out[last].high+1 {
			out[last].high = max(out[last].high, s.high)
			continue
		}
		out = append(out, s)
	}
	return out
}

func ofTables(tables ...*unicode.RangeTable) set {
	var spans []span
	for _, t := range tables {
		for _, r := range t.R16 {
			spans = stepped(spans, rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
		for _, r := range t.R32 {
			spans = stepped(spans, rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
	}
	return setOf(spans)
}

func stepped(spans []span, low, high, step rune) []span {
	if step == 1 {
		return append(spans, span{low, high})
	}
	for c := low; c <= high; c += step {
		spans = append(spans, span{c, c})
	}
	return spans
}

func (s set) or(other set) set { return setOf(append(slices.Clone(s), other...)) }

func (s set) not() set {
	var out set
	next := rune(0)
	for _, p := range s {
		if p.low > next {
			out = append(out, span{next, p.low - 1})
		}
		next = p.high + 1
	}
	if next <= unicode.MaxRune {
		out = append(out, span{next, unicode.MaxRune})
	}
	return out
}

func (s set) and(other set) set { return s.not().or(other.not()).not() }

func (s set) minus(other set) set { return s.and(other.not()) }

// class is the set as a class of the engine's, for its unicode mode. An empty
// one matches nothing.
func (s set) class() string { return "[" + s.inside() + "]" }

// inside is the set as it stands inside a class.
func (s set) inside() string {
	var out strings.Builder
	for _, p := range s {
		fmt.Fprintf(&out, `\u{%x}`, p.low)
		if p.high > p.low {
			fmt.Fprintf(&out, `-\u{%x}`, p.high)
		}
	}
	return out.String()
}
