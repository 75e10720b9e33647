//go:build !unix

package testmedia

import "context"

// lockFile locks nothing: two processes may make the same clip at the same
// time, and the later one's is kept.
func lockFile(context.Context, string) (unlock func(), err error) { return func() {}, nil }
