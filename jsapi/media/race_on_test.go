//go:build race

package media_test

// raced tells that the race detector is on.
const raced = true
