// Package web is the server's face over HTTP: playback, console and player
// pages, the control API, thumbnails, health and metrics.
//
// A request comes in from net/http; playback goes straight to the packager's
// handler with the original http.ResponseWriter, so that sendfile works, and
// everything else goes through echo. What the rest of the server knows reaches
// this package through Backend only; it has no media knowledge beyond content
// types. The rules of who may do what are internal/access, applied here.
package web
