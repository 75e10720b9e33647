package recording

import (
	"path"
	"slices"
	"time"

	"github.com/millrace/millrace/packager/playlist"
)

const iframesFile = "iframes.m3u8"

// listIFrames makes the I-frame playlists (RFC 8216bis §4.4.3.6) that the
// multivariant playlist offers: the media playlists once more, of each segment
// the picture that it begins with. One that has none is not offered any more.
func (c *composed) listIFrames(tracks map[string]*track) {
	c.multi.IFrames = slices.DeleteFunc(c.multi.IFrames, func(v playlist.Variant) bool {
		name := path.Dir(v.URI)
		return tracks[name] == nil || !tracks[name].hasIFrames()
	})
	for i := range c.multi.IFrames {
		v := &c.multi.IFrames[i]
		name := path.Dir(v.URI)
		v.URI = name + "/" + iframesFile
		m := *c.media[name]
		m.IFramesOnly, m.Segments = true, slices.Clone(m.Segments)
		m.Version = max(m.Version, versionRange)
		rate := meter{target: time.Duration(m.TargetDuration) * time.Second}
		for i := range m.Segments {
			e, size := &m.Segments[i], int64(0)
			if s := tracks[name].segments[m.MediaSequence+uint64(i)]; s != nil {
				size = s.IFrame
			}
			if e.Gap = size == 0; !e.Gap {
				e.ByteRange = &playlist.ByteRange{Length: size}
			}
			rate.add(size, e.Duration)
		}
		v.AverageBandwidth = rate.average()
		v.Bandwidth = max(rate.peak, v.AverageBandwidth)
		c.iframes[name] = &m
	}
}

func (t *track) hasIFrames() bool {
	for _, s := range t.segments {
		if s.IFrame > 0 {
			return true
		}
	}
	return false
}
