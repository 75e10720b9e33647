package rtsp

import (
	"bytes"
	"slices"
	"strings"

	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/sdp"
)

// readSDP takes the hints out of an SDP, one for each media, and returns an
// SDP that is safe and useful to give to gortsplib:
//
//   - Without parameter sets, which it parses with functions that a crafted
//     one makes panic, or allocate gigabytes, before anybody has been asked for
//     a password.
//   - With media that it cannot read replaced by ones of an unknown codec:
//     for it one bad media makes the whole session bad. ffmpeg, for one,
//     announces codecs without an RTP format as a payload type that means
//     nothing.
func readSDP(b []byte) (hints []mediaHint, clean []byte) {
	head, sections := splitSDP(b)
	clean = append(clean, withoutSets(head)...)
	for _, section := range sections {
		h := newHint()
		for line := range bytes.Lines(section) {
			h.read(strings.TrimSpace(string(line)))
		}
		kept := withoutSets(section)
		if h.broken = parseMedia(kept); h.broken != nil {
			kept = placeholder(kept)
		}
		hints = append(hints, h)
		clean = append(clean, kept...)
	}
	return hints, clean
}

// splitSDP divides an SDP into its head and its media.
func splitSDP(b []byte) (head []byte, sections [][]byte) {
	for line := range bytes.Lines(b) {
		switch {
		case bytes.HasPrefix(line, []byte("m=")):
			sections = append(sections, bytes.Clone(line))
		case len(sections) > 0:
			sections[len(sections)-1] = append(sections[len(sections)-1], line...)
		default:
			head = append(head, line...)
		}
	}
	return head, sections
}

const emptyHead = "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"

// parseMedia tells why gortsplib cannot read a media, or nil.
func parseMedia(section []byte) error {
	return parseSession(append([]byte(emptyHead), section...))
}

// parseSession tells why gortsplib cannot read an SDP, or nil.
func parseSession(b []byte) error {
	var ssd sdp.SessionDescription
	if err := ssd.Unmarshal(b); err != nil {
		return err
	}
	var desc description.Session
	return desc.Unmarshal(&ssd)
}

// placeholder keeps of a media what SETUP needs: its kind and its control
// attribute.
func placeholder(section []byte) []byte {
	kind, control := "application", ""
	for line := range bytes.Lines(section) {
		text := strings.TrimSpace(string(line))
		switch {
		case strings.HasPrefix(text, "m=audio "):
			kind = "audio"
		case strings.HasPrefix(text, "m=video "):
			kind = "video"
		case strings.HasPrefix(text, "a=control:"):
			control = text + "\r\n"
		}
	}
	return []byte("m=" + kind + " 0 RTP/AVP 127\r\na=rtpmap:127 unknown/90000\r\n" + control)
}

// stereo says of Opus that it is meant to be heard in stereo (RFC 7587 §6.1).
const stereo = "sprop-stereo=1"

// withoutSets returns the lines without sprop parameters.
func withoutSets(lines []byte) []byte {
	kept := make([]byte, 0, len(lines))
	for line := range bytes.Lines(lines) {
		text := strings.TrimSpace(string(line))
		if !strings.Contains(strings.ToLower(text), "sprop-") {
			kept = append(kept, line...)
			continue
		}
		head, params, ok := strings.Cut(text, " ")
		if !ok || strings.Contains(strings.ToLower(head), "sprop-") {
			continue // no line that anybody needs
		}
		list := slices.DeleteFunc(strings.Split(params, ";"), func(p string) bool {
			p = strings.ToLower(strings.TrimSpace(p))
			return strings.Contains(p, "sprop-") && p != stereo
		})
		kept = append(kept, head+" "+strings.Join(list, ";")+"\r\n"...)
	}
	return kept
}
