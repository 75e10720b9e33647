package config

import (
	"encoding/hex"
	"net/url"
	"strings"
	"time"
)

// leastRotation keeps a playlist from being keys alone.
const leastRotation = 2 * time.Second

// encryption checks what belongs together. Keys are never repeated in messages.
func (v validator) encryption(h HLS, key string) {
	e := h.Encryption
	outside := e.Key != "" || e.KeyFile != ""
	switch {
	case e.Method == "none":
		for _, set := range []struct{ name, value string }{
			{"key", e.Key}, {"keyFile", e.KeyFile}, {"id", e.ID}, {"uri", e.URI}, {"format", e.Format}, {"formatVersions", e.Versions},
		} {
			if set.value != "" {
				v.errorf(key+"."+set.name, "nothing is encrypted; set method to aes-128 or cbcs, or leave this out")
			}
		}
		if e.Rotate != 0 {
			v.errorf(key+".rotate", "nothing is encrypted; set method to aes-128 or cbcs, or leave this out")
		}
		return
	case e.Method == "cbcs" && h.Container == "ts":
		v.errorf(key+".method", "cbcs needs container: fmp4; SAMPLE-AES in MPEG-TS is not in this version, aes-128 is")
	}
	if e.Key != "" && !is128(e.Key) {
		v.errorf(key+".key", "is not 32 hexadecimal digits")
	}
	if e.Key != "" && e.KeyFile != "" {
		v.errorf(key+".keyFile", "there is a key already; name one of the two")
	}
	switch {
	case e.Rotate != 0 && outside:
		v.errorf(key+".rotate", "one key does not rotate; leave out rotate, or the key so that the server makes keys")
	case e.Rotate != 0 && e.Rotate < leastRotation:
		v.errorf(key+".rotate", "%s is too short; %s is the least, 0s for one key", formatDuration(e.Rotate), formatDuration(leastRotation))
	}
	switch {
	case e.ID == "":
	case !is128(e.ID):
		v.errorf(key+".id", "%q is not 32 hexadecimal digits", e.ID)
	case !outside:
		v.errorf(key+".id", "names a key that is not there; set key or keyFile, or leave this out so that the server makes both")
	}
	if e.URI == "" {
		if e.Format != "" {
			v.errorf(key+".format", "is about keys elsewhere; set uri, or leave this out")
		}
		if e.Versions != "" {
			v.errorf(key+".formatVersions", "is about keys elsewhere; set uri, or leave this out")
		}
		return
	}
	if !outside {
		v.errorf(key+".uri", "tells players a place for keys that nobody else has; set key or keyFile, or leave this out so that the server gives keys out")
	}
	// An empty path and query would be replaced; any scheme may be a key system's.
	if u, err := url.Parse(strings.NewReplacer("{id}", "0", "{path}", "x").Replace(e.URI)); err != nil || u.Scheme == "" || strings.ContainsAny(e.URI, "\" \t") {
		v.errorf(key+".uri", "%q is not a URI; write https://keys.example.org/{path}/{id}", e.URI)
	}
}

func is128(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == 16
}
