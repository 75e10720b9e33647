// Package wire is what the server and the app's process say to each other: a
// framed protocol over a socket pair. It imports the standard library only.
//
// A frame is the length of what follows (32 bits), the type (8 bits), the
// length of the JSON (32 bits), the JSON, and raw bytes, which only Message
// has. All integers are big endian. A frame that is too large, of an unknown
// type, or for the other side is an error, and an error is final.
//
//	server                         app
//	------                         ---
//	Start
//	                               Hello: alive, before the script is compiled
//	                               Ready: the script has run; Hooks where they change
//	Call                           Answer
//	Event …                        Log …
//	Reply                          Request
//	Message                        Message
//	Ping                           Pong, from the event loop
//	Bye                            exit 0
//	                               Failed: fatal; exit follows
//
// Connections for the app's HTTP server come over another socket, as
// descriptors, each with a byte that says what it is for; see Kind.
package wire
