// Package store keeps the bytes of segments: appended to while they are made,
// read-only from then on, in memory (anonymous memory files) or on disk behind
// one interface. A [File] is served by sendfile, so that viewers cost neither
// heap nor copies, and is freed when it was removed and its last reader is
// gone.
package store
