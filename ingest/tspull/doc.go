// Package tspull is Millrace's room for MPEG transport streams that are
// fetched, or come by themselves, without a protocol of their own: over UDP
// (udp://@:PORT, udp://GROUP:PORT) and HTTP (http://HOST/live.ts).
//
// What the bytes are is the business of ingest/mpegts. Over UDP anybody who can
// reach the port is believed.
package tspull
