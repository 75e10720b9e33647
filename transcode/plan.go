package transcode

import (
	"errors"
	"fmt"
	"slices"

	"github.com/millrace/millrace/internal/media"
)

// Errors of NewPlan that callers tell apart.
var (
	// ErrUnsupported is wrapped by errors that name a codec nobody here can
	// decode or carry.
	ErrUnsupported = errors.New("unsupported codec")
	// ErrIncomplete is wrapped where a track does not say yet what a plan
	// needs to know: a picture size, a sample rate.
	ErrIncomplete = errors.New("incomplete track")
	// ErrNoTracks means that there is nothing to make renditions of.
	ErrNoTracks = errors.New("no video or audio track")
)

// Plan is the set of renditions for one set of source tracks. It is immutable.
type Plan struct {
	// Renditions are video from the top down, then audio.
	Renditions []Rendition

	// Notes say in words what was left out and why, for the log and the API.
	Notes []string

	tracks []*media.Track
	policy Policy
}

// NewPlan chooses the renditions of a source with these tracks. It does the
// least work that lets every browser play:
//
//   - auto: progressive 8-bit 4:2:0 H.264 that browsers decode is copied as
//     the top rung; below it, or from the top, H.264 rungs of 1080, 720, 480
//     and 360 lines are encoded, none larger than the source in size, frame
//     rate or bitrate. A source between those heights that would lose over a
//     quarter of its lines gets a rung of its own height first.
//   - passthrough: the video is copied whatever it is.
//   - list: what the policy says; see Rung.
//
// "Lines" are the short side of the picture as shown: rotation undone, samples
// squared; so are the coded rungs. Video comes from the first video track.
// Every audio track is a rendition: AAC is copied, anything else becomes AAC
// stereo of 128 kbit/s at the source's rate where that is 32, 44.1 or 48 kHz,
// at 48 kHz otherwise (a G.711 frame of AAC at 8 kHz would last 128 ms). With
// Policy.Originals some of the latter are copied too.
//
// The error wraps ErrUnsupported and names the codec where the video, or the
// only audio, cannot be used; unusable audio beside video is left out with a
// note.
func NewPlan(tracks []*media.Track, p Policy) (*Plan, error) {
	if err := p.Check(); err != nil {
		return nil, fmt.Errorf("plan renditions: %w", err)
	}
	plan := &Plan{tracks: slices.Clone(tracks), policy: p}
	var video *media.Track
	for _, t := range tracks {
		if t.Kind == media.Video && video == nil {
			video = t
		} else if t.Kind == media.Video && !p.EveryVideo {
			plan.notef("video track %s is left out: one is shown", t)
		}
	}
	if video != nil {
		if err := plan.planVideo(video); err != nil {
			return nil, fmt.Errorf("plan video of track %s: %w", video, err)
		}
	}
	for _, t := range tracks {
		if t.Kind == media.Video && t != video && p.EveryVideo {
			if err := plan.planVideo(t); err != nil {
				return nil, fmt.Errorf("plan video of track %s: %w", t, err)
			}
		}
	}
	if err := plan.planAudio(video != nil); err != nil {
		return nil, err
	}
	if len(plan.Renditions) == 0 {
		return nil, fmt.Errorf("plan renditions: %w", ErrNoTracks)
	}
	return plan, nil
}

// NeedsWorker reports whether anything is to be encoded.
func (p *Plan) NeedsWorker() bool {
	return slices.ContainsFunc(p.Renditions, func(r Rendition) bool { return !r.Copy })
}

// Live reports whether the plan is for a live source.
func (p *Plan) Live() bool { return p.policy.Live }

// CopiesVideo reports whether a video rendition is a copy, so that segments
// can start at the source's keyframes only.
func (p *Plan) CopiesVideo() bool {
	return slices.ContainsFunc(p.Renditions, func(r Rendition) bool { return r.Copy && r.Kind == media.Video })
}

// Rendition returns the one called name.
func (p *Plan) Rendition(name string) (Rendition, bool) {
	for _, r := range p.Renditions {
		if r.Name == name {
			return r, true
		}
	}
	return Rendition{}, false
}

// source is the track with this ID, nil where there is none.
func (p *Plan) source(id int) *media.Track {
	for _, t := range p.tracks {
		if t.ID == id {
			return t
		}
	}
	return nil
}

func (p *Plan) notef(format string, args ...any) {
	p.Notes = append(p.Notes, fmt.Sprintf(format, args...))
}

func (p *Plan) planVideo(t *media.Track) error {
	if !decodable[t.Codec] {
		return fmt.Errorf("%w: video %s", ErrUnsupported, t.Codec)
	}
	if t.Width <= 0 || t.Height <= 0 {
		return fmt.Errorf("%w: the picture size is not known", ErrIncomplete)
	}
	switch p.policy.mode() {
	case Passthrough:
		if err := p.policy.carries(t); err != nil {
			return err
		}
		p.addCopy(t, "", "passthrough")
	case Explicit:
		return p.planList(t)
	case Auto:
		p.planAuto(t)
	}
	return nil
}

func (p *Plan) planAuto(t *media.Track) {
	why := unplayable(t)
	if why == "" && p.policy.GOPTooLong {
		why = "the source's keyframes are too far apart"
	}
	s := shapeOf(t)
	if why == "" {
		p.addCopy(t, "", "every player takes the source")
		why = "a smaller rung"
	}
	for _, height := range autoHeights(s, p.CopiesVideo()) {
		size := s.scaled(height)
		fps, limit := frameRate(t), false
		if fps.Known() {
			fps, limit = limited(fps, media.Rational{Num: autoFPS, Den: 1})
		}
		bitrate := below(bitrateFor(size, estimate(fps)), t.Bitrate, size, s)
		p.addEncode(t, heightName(height), size, fps, limit, bitrate, why)
	}
}

func (p *Plan) planList(t *media.Track) error {
	s := shapeOf(t)
	// What fits is made; where nothing does, the lowest in the source's size.
	fitting := slices.DeleteFunc(slices.Clone(p.policy.Rungs), func(r Rung) bool { return !r.fits(s) })
	if len(fitting) == 0 {
		lowest := slices.MinFunc(p.policy.Rungs, func(a, b Rung) int { return a.order() - b.order() })
		fitting = append(fitting, lowest)
	}
	for _, r := range p.policy.Rungs {
		if !r.fits(s) {
			p.notef("rung %s is larger than the source's %dx%d", r.name(), s.width, s.height)
		}
	}
	for _, r := range fitting {
		if r.Codec == Copy {
			if err := p.policy.carries(t); err != nil {
				return err
			}
			p.addCopy(t, r.Name, "the ladder says so")
			continue
		}
		size := s.scaled(r.Height)
		if r.Width > 0 {
			size = s.within(r.Width, r.Height)
		}
		fps, limit := limited(frameRate(t), r.FPS)
		bitrate := r.Bitrate
		if bitrate == 0 {
			bitrate = below(bitrateFor(size, estimate(fps)), t.Bitrate, size, s)
		}
		name := r.name()
		if name == "" {
			name = heightName(size.short())
		}
		p.addEncode(t, name, size, fps, limit, bitrate, "the ladder says so")
	}
	return nil
}

// fits reports whether a picture of s need not be enlarged for r.
func (r *Rung) fits(s shape) bool {
	if r.Codec == Copy {
		return true
	}
	if r.Width > 0 && r.Height == 0 {
		return even(r.Width) <= s.width
	}
	return even(r.Height) <= s.short() || r.Width > 0 && even(max(r.Width, r.Height)) <= max(s.width, s.height)
}

func (r *Rung) order() int { return max(r.Height, r.Width) }

func (p *Plan) addCopy(t *media.Track, name, why string) {
	s := shapeOf(t)
	if name == "" {
		name = heightName(s.short())
	}
	p.add(Rendition{
		Name: name, Kind: media.Video, Source: t.ID, Copy: true, Codec: t.Codec,
		Width: s.width, Height: s.height, FPS: frameRate(t), Bitrate: t.Bitrate,
		Language: t.Language, Why: why,
	})
}

func (p *Plan) addEncode(t *media.Track, name string, size shape, fps media.Rational, limit bool, bitrate int, why string) {
	maxBitrate, bufSize := vbv(bitrate)
	p.add(Rendition{
		Name: name, Kind: media.Video, Source: t.ID, Codec: media.H264,
		Width: size.width, Height: size.height, FPS: fps,
		Bitrate: bitrate, MaxBitrate: maxBitrate, BufSize: bufSize,
		Language: t.Language, Why: why, limit: limit,
	})
}

// add gives r a name that nobody has.
func (p *Plan) add(r Rendition) {
	base := r.Name
	for n := 2; ; n++ {
		if _, taken := p.Rendition(r.Name); !taken {
			break
		}
		r.Name = fmt.Sprintf("%s-%d", base, n)
	}
	p.Renditions = append(p.Renditions, r)
}
