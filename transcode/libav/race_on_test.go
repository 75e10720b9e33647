//go:build race

package libav

const raced = true
