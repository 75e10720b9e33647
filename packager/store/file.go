package store

// File is one segment's bytes.
type File struct{}
