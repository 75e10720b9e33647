package store

// Store makes files. It may be used by any number of goroutines.
type Store interface {
	// Create makes an empty file. The name is relative, of one or more
	// elements: "720p/1764000000.m4s".
	Create(name string) (*File, error)
}
