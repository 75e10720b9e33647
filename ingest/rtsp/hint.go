package rtsp

import (
	"bytes"
	"encoding/base64"
	"math"
	"strconv"
	"strings"

	"github.com/millrace/millrace/internal/media"
)

// mediaHint is what an SDP says about a media that gortsplib does not pass
// on, or must not see.
type mediaHint struct {
	bitrate   int                // bits/s, b=AS or b=TIAS
	frameRate media.Rational     // a=framerate
	language  string             // a=lang, RFC 8866 §6.12
	clocks    map[uint8]int      // a=rtpmap: ticks a second by payload type
	sets      map[uint8][][]byte // a=fmtp sprop-…: parameter sets by payload type
	broken    error              // why gortsplib cannot read it
}

func newHint() mediaHint {
	return mediaHint{clocks: map[uint8]int{}, sets: map[uint8][][]byte{}}
}

// read takes what a line of the media says. What it cannot read is not there.
func (h *mediaHint) read(line string) {
	key, value, ok := strings.Cut(line, ":")
	if !ok {
		return
	}
	value = strings.TrimSpace(value)
	switch key {
	case "b=AS":
		if kbit, err := strconv.Atoi(value); err == nil && kbit > 0 && kbit < 1e6 && h.bitrate == 0 {
			h.bitrate = kbit * 1000
		}
	case "b=TIAS":
		if bit, err := strconv.Atoi(value); err == nil && bit > 0 && bit < 1e9 {
			h.bitrate = bit
		}
	case "a=framerate":
		h.frameRate = parseFrameRate(value)
	case "a=lang":
		if h.language == "" { // the first is the one most wanted
			h.language = media.LanguageTag(value)
		}
	case "a=rtpmap":
		pt, encoding, _ := strings.Cut(value, " ")
		parts := strings.Split(encoding, "/")
		n, err := strconv.ParseUint(pt, 10, 8)
		if err != nil || len(parts) < 2 {
			return
		}
		if rate, err := strconv.Atoi(parts[1]); err == nil && rate > 0 && rate < 1e6 {
			h.clocks[uint8(n)] = rate
		}
	case "a=fmtp":
		h.readSets(value)
	}
}

// readSets reads sprop-parameter-sets (RFC 6184) and sprop-vps, -sps and -pps
// (RFC 7798): lists of NAL units in base64.
func (h *mediaHint) readSets(value string) {
	pt, params, _ := strings.Cut(value, " ")
	n, err := strconv.ParseUint(pt, 10, 8)
	if err != nil {
		return
	}
	for p := range strings.SplitSeq(params, ";") {
		key, list, _ := strings.Cut(strings.TrimSpace(p), "=")
		switch strings.ToLower(key) {
		case "sprop-parameter-sets", "sprop-vps", "sprop-sps", "sprop-pps":
		default:
			continue
		}
		for one := range strings.SplitSeq(list, ",") {
			one = strings.TrimRight(strings.TrimSpace(one), "=")
			nalu, err := base64.RawStdEncoding.DecodeString(one)
			if err != nil || len(h.sets[uint8(n)]) >= maxHintSets {
				continue
			}
			// some cameras put a start code before it
			h.sets[uint8(n)] = append(h.sets[uint8(n)], bytes.TrimPrefix(nalu, startCode))
		}
	}
}

// maxHintSets bounds the parameter sets taken from an SDP.
const maxHintSets = 16

// parseFrameRate reads a decimal; 29.97 and its kin mean 30000/1001.
func parseFrameRate(s string) media.Rational {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f >= 1 && f <= 300) { // NaN too
		return media.Rational{}
	}
	if n := math.Round(f); math.Abs(f-n) < 0.001 {
		return media.Rational{Num: int(n), Den: 1}
	}
	if n := math.Round(f * 1.001); math.Abs(f-n/1.001) < 0.006 {
		return media.Rational{Num: int(n) * 1000, Den: 1001}
	}
	return media.Rational{Num: int(math.Round(f * 1000)), Den: 1000}
}

// apply gives a track what its own headers do not tell.
func (h *mediaHint) apply(t *media.Track) {
	if t.Bitrate == 0 {
		t.Bitrate = h.bitrate
	}
	t.Language = h.language
	if t.Kind == media.Video && !t.FrameRate.Known() {
		t.FrameRate = h.frameRate
	}
}
