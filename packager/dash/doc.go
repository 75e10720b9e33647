// Package dash writes media presentation descriptions (MPD, ISO/IEC 23009-1)
// of segments that are numbered and whose times are listed. It is pure: text
// out, no clocks, no files.
package dash
