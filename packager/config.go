package packager

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/packager/store"
	"github.com/millrace/millrace/packager/storyboard"
)

// Errors a caller may branch on.
var (
	ErrUnknownRendition = errors.New("no such rendition")
	ErrNoCut            = errors.New("segment was not announced")
	ErrEnded            = errors.New("presentation has ended")
	ErrClosed           = errors.New("presentation is closed")
)

// Config describes a presentation. The zero value of a field means the default
// that its comment names.
type Config struct {
	// Segment is the length that the Cutter aims at; 2 s. TARGETDURATION is
	// 1.5 times this, rounded up to seconds, for the presentation's life.
	Segment time.Duration

	// Part is the length that parts are rounded from; 500 ms.
	Part time.Duration

	// LowLatency lists parts as they are made and offers blocking reload,
	// preload hints, rendition reports and delta updates (RFC 8216bis §6.2.5).
	LowLatency bool

	// Window is how much media a live playlist lists at least; 30 s. Those of
	// sound and text may list less, but begin a segment after the pictures at the
	// latest. None lists fewer than six segments or three target durations once
	// it has them. Segments that leave it stay fetchable for one window more.
	Window time.Duration

	// DVR is how much media a second, long playlist lists (dvr.m3u8, beside
	// index.m3u8 at both levels); 0 for none. Store should be a disk then: what
	// is there stays when the Presentation is closed.
	DVR time.Duration

	// Past is what an earlier presentation of the stream left on disk, by
	// rendition, ascending and without holes in the numbers, all ending with the
	// same one. The first Cut has to follow it in both numbers. It becomes part
	// of the long playlists if the renditions set first all have one, and is
	// removed otherwise. Nil for none.
	Past map[string][]Listed

	// PastDateRanges are the date ranges that it had; they are there again if
	// the past is.
	PastDateRanges []playlist.DateRange

	// VOD keeps every segment. End then writes PLAYLIST-TYPE VOD playlists
	// into Output.
	VOD bool

	// Markers says that the presentation may be marked, see Mark: it then
	// offers delta updates without older date ranges where latency is low.
	Markers bool

	// Subtitles are renditions of text, which Caption fills.
	Subtitles []Subtitles

	// AudioOnly lists the sound that everybody can play as a variant of its own
	// beside those with a picture.
	AudioOnly bool

	// Container is the format of segments and parts; FMP4.
	Container Container

	// Store holds the media; required unless Output is set. The Presentation
	// does not close it.
	Store store.Store

	// Output is where a VOD presentation is built and published when it ends;
	// it takes the place of Store.
	Output *store.Output

	// Protection encrypts the media; nil leaves it in the clear.
	Protection *Protection

	// Recorder gets what the playlists list; nil for nobody. Live presentations
	// only.
	Recorder Recorder

	// Pictures makes the pictures of the storyboard (storyboard.vtt and its
	// sheets, beside the multivariant playlist). Live, it is called while a
	// viewer waits for one; of a VOD presentation, while End writes them into
	// Output. Nil means that there is no storyboard; nor is there one of
	// encrypted media.
	Pictures storyboard.Maker

	// OnSegment is told of each segment that a playlist lists, gaps left out.
	// Called from the goroutine that writes; it must not block, nor call the
	// Presentation. Nil means nobody wants to know.
	OnSegment func(Published)

	// OnTrouble is told what went wrong without stopping the stream: a segment
	// that could not be stored and is listed as a GAP, an overlong segment.
	// Called from the goroutine that writes, at most once a segment; it must
	// not call the Presentation. Nil means nobody wants to know.
	OnTrouble func(rendition string, err error)

	// Logger takes rare facts; nil means none.
	Logger *slog.Logger
}

// Published is a segment that a playlist lists now.
type Published struct {
	Rendition string
	Number    uint64
	URI       string // beside the rendition's playlist
	Duration  time.Duration
	Size      int64
	Wall      time.Time // EXT-X-PROGRAM-DATE-TIME of its beginning
}

// Rendition describes one media playlist.
type Rendition struct {
	// Name is the path element of its URLs: "720p", "audio".
	Name string
	Kind media.Kind

	// Track may be nil until the first packet, which brings its own.
	Track *media.Track

	// Copy says that packets come straight from the source. A copied rendition
	// is never more than a segment behind the newest cut: what is missing then
	// is listed as a GAP. A coded one may be late by half a window; see Lost.
	Copy bool

	// Bitrate is the peak in bits/s as far as it is known beforehand: the VBV
	// maximum of an encoder, what a publisher declares. BANDWIDTH is never
	// lower, and raised to what is measured.
	Bitrate int

	// AverageBitrate in bits/s stands in AVERAGE-BANDWIDTH until segments were
	// measured; 0 unknown.
	AverageBitrate int

	// Audio in a presentation with video: the EXT-X-MEDIA group ("audio" when
	// empty), the name that players show, and whether it is the default of its
	// group. Every video rendition is listed once for each group. A group is
	// another coding of the same sounds, told apart by Title: what it has no
	// rendition of is that of the first group there too.
	Group    string
	Title    string
	Language string // BCP 47
	Default  bool
}

func (c *Config) fill() error {
	if c.Segment == 0 {
		c.Segment = 2 * time.Second
	}
	if c.Part == 0 {
		c.Part = 500 * time.Millisecond
	}
	if c.Window == 0 {
		c.Window = 30 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.OnTrouble == nil {
		c.OnTrouble = func(string, error) {}
	}
	switch {
	case c.Segment < 0 || c.Part < 0 || c.Window < 0 || c.DVR < 0:
		return errors.New("negative duration")
	case (c.LowLatency || c.DVR > 0) && c.VOD:
		return errors.New("low latency and time shift are for live presentations only")
	case c.Recorder != nil && c.VOD:
		return errors.New("a recorder is for live presentations only")
	case c.Output != nil && !c.VOD:
		return errors.New("an output folder is for VOD only")
	case c.Output == nil && c.Store == nil:
		return errors.New("no store")
	}
	if err := c.checkSubtitles(); err != nil {
		return err
	}
	return c.checkProtection()
}

// validName reports whether s can be one element of a URL path.
func validName(s string) bool {
	return s != "" && s != "." && s != ".." && len(s) <= 64 &&
		strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") == ""
}

func checkRenditions(rs []Rendition) error {
	if len(rs) == 0 {
		return errors.New("no renditions")
	}
	seen := map[string]bool{}
	for _, r := range rs {
		switch {
		case !validName(r.Name) || strings.HasSuffix(r.Name, ".m3u8"):
			return fmt.Errorf("bad rendition name %q", r.Name)
		case seen[r.Name]:
			return fmt.Errorf("two renditions named %q", r.Name)
		case r.Kind != media.Video && r.Kind != media.Audio:
			return fmt.Errorf("rendition %q is neither video nor audio", r.Name)
		}
		seen[r.Name] = true
	}
	return nil
}
