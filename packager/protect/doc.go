// Package protect encrypts media and decrypts it again: whole segments as
// METHOD=AES-128 wants them (RFC 8216bis §4.4.4.4), and samples by the scheme
// cbcs of Common Encryption (ISO/IEC 23001-7), which is METHOD=SAMPLE-AES in
// fMP4. It knows nothing of playlists, nor of who may have a key.
package protect
