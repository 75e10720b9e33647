package rtsp

import (
	"bufio"
	"bytes"
	"math"
	"strconv"
	"strings"

	"github.com/millrace/millrace/internal/media"
)

// mediaHint is what an SDP says about a media that gortsplib does not pass
// on.
type mediaHint struct {
	bitrate   int            // bits/s, b=AS or b=TIAS
	frameRate media.Rational // a=framerate
	clocks    map[uint8]int  // a=rtpmap: ticks a second by payload type
}

// sdpHints reads them, one for each media. It never fails: what it cannot
// read is not there.
func sdpHints(sdp []byte) []mediaHint {
	var hints []mediaHint
	lines := bufio.NewScanner(bytes.NewReader(sdp))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if strings.HasPrefix(line, "m=") {
			hints = append(hints, mediaHint{clocks: map[uint8]int{}})
			continue
		}
		if len(hints) > 0 {
			hints[len(hints)-1].read(line)
		}
	}
	return hints
}

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
	}
}

// parseFrameRate reads a decimal; 29.97 and its kin mean 30000/1001.
func parseFrameRate(s string) media.Rational {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f < 1 || f > 300 {
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
	if t.Kind == media.Video && !t.FrameRate.Known() {
		t.FrameRate = h.frameRate
	}
}
