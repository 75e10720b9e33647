// Package check judges an HLS presentation from outside, as a player sees it:
// it follows the playlists for a while, downloads media the moment it is
// listed, asks what a client may ask, and holds all of it to the rules of RFC
// 8216bis and of Apple's authoring specification that a server can be held to.
//
//	fetch.go   one request, timed
//	follow.go  a media playlist over time, and what it lists
//	watch.go   the presentation: its playlists, followed at once
//	removed.go what has left the playlists, asked for once more
//	probe.go   questions asked on purpose: delivery directives, unknown names
//	iframes.go I-frame playlists, looked at once, and the rules for them
//	rules_*.go the rules; each is a value with its section and a function
//	report.go  the verdict, as text and as JSON
//
// Everything is recorded first and judged afterwards, so that a rule is a pure
// function of what was seen.
package check
