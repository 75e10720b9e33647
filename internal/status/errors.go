package status

import "errors"

// What the makers of this package's values answer, so that web can pick the
// right HTTP status without knowing them.
var (
	ErrNotFound    = errors.New("no such stream")
	ErrNoPublisher = errors.New("nobody publishes this stream")
	ErrNoPicture   = errors.New("no picture yet")
	ErrRuns        = errors.New("the stream runs already")
)
