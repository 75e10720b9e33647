// Package archtest holds the rules of the repository as ordinary tests: which
// room may import which, where each third-party library and cgo may stand,
// what lies at the top of the tree, and that the documents' links lead
// somewhere.
//
// Nothing imports it. The rules are told to people in docs/architecture.md,
// under Rooms; a breach prints the edge and that address. A new room gets a
// line in rooms and a row there.
package archtest
