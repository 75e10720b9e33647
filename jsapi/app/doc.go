// Package app is the process that runs the app script: hooks, HTTP routes,
// WebSockets, Socket.IO and a schedule, under a server that stands at the
// other end of a socket. See jsapi/host for that end, and jsapi/host/wire for
// what they say.
//
// The module of the script's side is millrace (jsapi/builtin/src/millrace,
// app*.js), over the natives internal:app.
package app
