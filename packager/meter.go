package packager

import (
	"time"

	"github.com/millrace/millrace/internal/media"
)

// meter measures a rendition's bitrate as the RFC defines it: the peak segment
// bit rate is the largest of any contiguous set of segments whose duration is
// between 0.5 and 1.5 target durations (RFC 8216bis §4.4.6.2).
type meter struct {
	target  time.Duration
	recent  []sized
	first   int // bits/s of the first segment
	peak    int // bits/s
	bytes   int64
	elapsed time.Duration
}

type sized struct {
	bytes    int64
	duration time.Duration
}

// add counts a segment; one without media breaks the row.
func (m *meter) add(bytes int64, d time.Duration) {
	if bytes == 0 || d <= 0 {
		m.recent = m.recent[:0]
		return
	}
	m.bytes += bytes
	m.elapsed += d
	if m.first == 0 {
		m.first = bitrate(bytes, d)
	}
	m.recent = append(m.recent, sized{bytes, d})
	var sum sized
	for i := len(m.recent) - 1; i >= 0; i-- {
		sum.bytes += m.recent[i].bytes
		sum.duration += m.recent[i].duration
		if sum.duration > m.target*3/2 {
			m.recent = append(m.recent[:0], m.recent[i:]...)
			break
		}
		if sum.duration >= m.target/2 {
			m.peak = max(m.peak, bitrate(sum.bytes, sum.duration))
		}
	}
}

func (m *meter) average() int { return bitrate(m.bytes, m.elapsed) }

// bitrate is rounded up.
func bitrate(bytes int64, d time.Duration) int {
	if d <= 0 {
		return 0
	}
	return int(media.Rescale(bytes*8, int(d), int(time.Second))) + 1
}
