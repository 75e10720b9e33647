// Package browser is test support: it drives a headless Chromium, and watches
// the pictures of testmedia in its <video> elements. Page is a tab of a
// browser of its own; Video watches one element: every picture that it
// presents is read, and every stop of playback noted.
//
// All functions must be called from the test's goroutine and fail the test
// themselves, unless they return an error.
package browser
