// Package pattern rewrites regular expressions that the engine does not know
// into ones that it does: \p{…} and the set notation of the flag v become
// plain classes of characters.
package pattern
