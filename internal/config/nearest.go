package config

import (
	"fmt"
	"strings"
)

// didYouMean returns "; did you mean …?" for the candidate nearest to word, or
// nothing when none is near.
func didYouMean(word string, candidates []string) string {
	if best, ok := nearest(word, candidates); ok {
		return fmt.Sprintf("; did you mean %q?", best)
	}
	return ""
}

// nearest finds the candidate that word was most likely meant to be: at most a
// third of its letters away, ignoring case, dashes and underscores.
func nearest(word string, candidates []string) (string, bool) {
	if len(word) > 64 { // nobody's typing error; and distance is quadratic
		return "", false
	}
	w := plain(word)
	best, bound := "", max(1, len(w)/3)
	for _, c := range candidates {
		if d := distance(w, plain(c)); d <= bound {
			best, bound = c, d-1
		}
	}
	return best, best != ""
}

func plain(s string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(s))
}

// distance counts the letters to add, leave out, change or swap with their
// neighbour to make a into b (Damerau and Levenshtein, the restricted form).
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
