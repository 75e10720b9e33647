// Package srt is Millrace's SRT room: a server that takes publishers of MPEG
// transport streams. Reading over SRT is refused.
//
// The wire's side (sockets, handshakes, retransmission) is gosrt's; what the
// bytes are is the business of ingest/mpegts.
//
// A caller says in its streamid what it wants: publish:{path} or
// publish:{path}:{key}, or the same in the words of SRT's access control
// (#!::r={path},m=publish,s={key}). The answer is in the handshake, as far as
// the path, the key and who publishes there already decide it:
//
//	ErrUnauthorized  1401    ErrBusy            1407
//	ErrForbidden     1403    ErrOverloaded      1402
//	ErrBadPath       1400    ErrUnavailable     1503
//	reading          1405    with a passphrase  1011
//
// What a hook decides, and whether there is a track to take, is decided when
// the tracks are known: a connection that is refused then is closed. The reason
// stands in the log, since SRT carries none.
//
// Goroutines: gosrt has three of the listener and three of each connection.
// Ours are one that accepts, and two of each publisher: one reads, one is the
// watchdog of ingest/mpegts. Server.Close waits for ours.
package srt
