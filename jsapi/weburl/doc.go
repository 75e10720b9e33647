// Package weburl parses URLs as browsers and Node do: the WHATWG's URL
// standard, whose basic parser the state machine of this package follows.
package weburl
