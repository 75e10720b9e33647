package store

// Output is a folder that gets a finished presentation, or nothing.
type Output struct{}
