// Package storyboard makes the pictures that players show over their seek bar:
// a WebVTT file whose cues name pieces of sprite sheets, and the sheets.
//
// The file costs nothing: when pictures are due follows from the segments'
// numbers alone. A sheet is drawn when somebody asks for it, out of the I-frames
// that segments begin with, each decoded at most once.
package storyboard
