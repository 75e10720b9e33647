// Package access holds the rules of who may do what: what a stream path is,
// what a rule's pattern matches, when a key is right, and when a request comes
// from this very machine.
//
// It is pure and imports the standard library only. Web applies it to HTTP
// requests, the pipeline to publishers; neither decides anything by itself.
package access
