package web

import (
	"bytes"
	"html"
	"strings"
)

// licenseName is where players of DASH ask for the keys of encrypted media, by
// POST; the packager answers.
const (
	licenseName    = "clearkey"
	licenseMethods = "POST, OPTIONS"
)

func isLicense(path string) bool {
	_, below := cutTicket(path)
	return strings.HasPrefix(below, dashPrefix) && strings.HasSuffix(below, "/"+licenseName)
}

// nameLicenses puts a URL in place of the bare name in an MPD: players do not
// resolve it.
func nameLicenses(mpd []byte, url string) []byte {
	return bytes.ReplaceAll(mpd, []byte(">"+licenseName+"</"), []byte(">"+html.EscapeString(url)+"</"))
}
