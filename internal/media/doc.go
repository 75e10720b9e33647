// Package media holds the words every room of Millrace speaks: Track, Packet,
// Cut, Placed, Marker, Source and Sink, and the one function that converts timestamps.
//
// Packets come out of ingest (or out of a worker), are immutable from then on,
// and are shared by all readers. The package imports the standard library
// only and knows no protocol, no container and no codec library.
package media
