package wire

import (
	"errors"
	"fmt"

	"github.com/millrace/millrace/internal/media"
)

// validate bounds what JSON alone does not.
func validate(m Message) error {
	switch m := m.(type) {
	case *Config:
		switch m.Role {
		case RoleStream, RoleInput, RoleThumbnail, RoleApp, RoleScript:
			return nil
		}
		return fmt.Errorf("unknown role %q", m.Role)
	case *Job:
		return m.Graph.Validate()
	case *Tune:
		if m.FrameDivisor < 0 || m.FrameDivisor > 1000 {
			return fmt.Errorf("frame divisor of %d", m.FrameDivisor)
		}
	case *Cut:
		if m.ClockRate <= 0 || m.ClockRate > 1_000_000_000 || m.PTS < 0 {
			return fmt.Errorf("cut at %d of a clock of %d", m.PTS, m.ClockRate)
		}
	case *Track:
		if m.Stream < 0 || len(m.Rendition) > MaxName {
			return errors.New("track with no usable stream or rendition")
		}
		return validateTrack(&m.Track)
	case *ScriptJob:
		return m.validate()
	case *Renditions:
		return m.validate()
	case *GivenUp:
		if m.Level < 0 || m.Level > maxRenditions+10 || len(m.Off) > maxRenditions || m.FrameDivisor < 0 || m.FrameDivisor > 1000 {
			return fmt.Errorf("level %d without %d renditions, one frame of %d", m.Level, len(m.Off), m.FrameDivisor)
		}
	case *Files:
		if len(m.Paths) > maxFiles {
			return fmt.Errorf("a script of %d files", len(m.Paths))
		}
	case *Handover:
		if m.ClockRate <= 0 || m.ClockRate > 1_000_000_000 || m.PTS < 0 {
			return fmt.Errorf("handover at %d of a clock of %d", m.PTS, m.ClockRate)
		}
	case *Stats:
		if len(m.Outputs) > MaxNodes {
			return fmt.Errorf("statistics of %d outputs", len(m.Outputs))
		}
	}
	return nil
}

const maxTrackBytes = 256 << 10 // of Track.Config

// validateTrack keeps a description from outside within what the rest of the
// program computes with.
func validateTrack(t *media.Track) error {
	switch {
	case t.Kind != media.Video && t.Kind != media.Audio:
		return fmt.Errorf("track of kind %d", t.Kind)
	case t.Codec == "" || len(t.Codec) > MaxName || len(t.Language) > MaxName || len(t.Chroma) > MaxName:
		return errors.New("track with no usable codec or an endless name")
	case t.ClockRate <= 0 || t.ClockRate > 1_000_000_000:
		return fmt.Errorf("track with a clock rate of %d", t.ClockRate)
	case len(t.Config) > maxTrackBytes:
		return fmt.Errorf("track with %d bytes of configuration", len(t.Config))
	case t.Width < 0 || t.Height < 0 || t.Width > MaxSide || t.Height > MaxSide:
		return fmt.Errorf("track of %dx%d", t.Width, t.Height)
	case t.Rotation != 0 && t.Rotation != 90 && t.Rotation != 180 && t.Rotation != 270:
		return fmt.Errorf("track turned by %d degrees", t.Rotation)
	case t.SampleRate < 0 || t.SampleRate > 1_000_000_000 || t.Channels < 0 || t.Channels > 1024:
		return fmt.Errorf("track of %d Hz, %d channels", t.SampleRate, t.Channels)
	case t.ID < 0 || t.Revision < 0 || t.Bitrate < 0 || t.BitDepth < 0 || t.BitsPerSample < 0:
		return errors.New("track with a negative number")
	}
	if err := rational("sample aspect", t.SampleAspect); err != nil {
		return err
	}
	return rational("frame rate", t.FrameRate)
}

func rational(what string, r media.Rational) error {
	if r != (media.Rational{}) && !r.Known() {
		return fmt.Errorf("%s of %s", what, r)
	}
	return nil
}
