// Package recording keeps live presentations on disk as VOD presentations.
//
// A [Library] is a folder with a folder for each recording: below the stream's
// path, named by the time at which it begins. A [Recorder] fills one while the
// stream is live: each segment is put there as it is listed, and then noted in
// a journal. When the stream ends, playlists are made of the journal and it is
// removed. What a killed server left behind still has its journal, from which
// the next one makes the playlists.
//
//	recordings/cam/front/2026-01-31T20-15-00Z/
//	    journal             while it is written
//	    index.m3u8          appears last
//	    recording.json      what it is, for the list
//	    720p/index.m3u8  720p/init-….mp4  720p/1769890500.m4s  …
//
// The disk may be full, slow or broken: that ends a recording, with an error
// that is told, and never holds up the stream.
package recording
