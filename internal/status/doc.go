// Package status holds what the server tells about itself: the state of each
// stream and the events, as plain values that marshal to the JSON of the API.
//
// The pipeline makes them, web shows them, and neither has to know the other.
// The package imports the standard library only. Every value is a copy that
// its receiver may change.
package status
