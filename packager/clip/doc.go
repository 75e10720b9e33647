// Package clip cuts a piece out of a presentation and streams it as one
// fragmented MP4 with a video and an audio track. Nothing is coded again: a
// clip begins at the last keyframe that is not later than what was asked for,
// and ends with the last frame before its end.
package clip
