package srt

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/millrace/millrace/ingest"
)

var (
	errReading  = errors.New("reading over SRT is not in this version; read RTSP, HLS or DASH")
	errStreamID = errors.New("write streamid=publish:PATH or publish:PATH:KEY")
)

// wish is what a streamid asks for.
type wish struct {
	path, user, key string
}

// standard begins a streamid in the words of SRT's access control guidelines.
const standard = "#!::"

// parseStreamID reads a streamid.
func parseStreamID(id string) (w wish, err error) {
	if rest, ok := strings.CutPrefix(id, standard); ok {
		w, err = parseStandard(rest)
	} else {
		w, err = parseShort(id)
	}
	if err != nil {
		return wish{}, err
	}
	w.path = strings.Trim(w.path, "/")
	return w, ingest.CheckPath(w.path)
}

// parseShort reads publish:{path} and publish:{path}:{key}.
func parseShort(id string) (wish, error) {
	mode, rest, _ := strings.Cut(id, ":")
	switch mode {
	case "publish":
	case "read", "request", "play", "subscribe":
		return wish{}, errReading
	case "":
		return wish{}, fmt.Errorf("%w: no streamid: %w", ingest.ErrBadPath, errStreamID)
	default:
		return wish{}, fmt.Errorf("%w: unknown streamid: %w", ingest.ErrBadPath, errStreamID)
	}
	path, key, _ := strings.Cut(rest, ":")
	return wish{path: path, key: key}, nil
}

// parseStandard reads r={path},m=publish,u={user},s={key} in any order.
func parseStandard(list string) (wish, error) {
	var w wish
	mode := "request" // what the guidelines take it for
	for pair := range strings.SplitSeq(list, ",") {
		name, value, _ := strings.Cut(pair, "=")
		switch name {
		case "r":
			w.path = value
		case "m":
			mode = value
		case "u":
			w.user = value
		case "s":
			w.key = value
		}
	}
	switch mode {
	case "publish":
		return w, nil
	case "request":
		return wish{}, errReading
	}
	return wish{}, fmt.Errorf("%w: unknown mode in the streamid: %w", ingest.ErrBadPath, errStreamID)
}

// request is what the Gate is asked with.
func (w wish) request() ingest.Request {
	r := ingest.Request{Path: w.path, Protocol: "srt", User: w.user, SharedClock: true}
	if w.key != "" {
		r.Query = url.Values{"key": {w.key}}
	}
	return r
}
