// Package webvtt writes and reads the WebVTT of subtitle renditions: files with
// a header, the mapping of their times to the media's (RFC 8216bis §3.1.4), and
// cues. It knows of WebVTT what captions need, and keeps whatever a text holds
// from being taken for anything else.
package webvtt
