package pipeline

import (
	"time"

	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/packager"
)

// segment is what is told of a segment that viewers can fetch now.
type segment struct {
	Rendition string    `json:"rendition"`
	Number    uint64    `json:"number"`
	URL       string    `json:"url"`
	Duration  float64   `json:"duration"` // seconds
	Size      int64     `json:"size"`
	Start     time.Time `json:"start"` // its PROGRAM-DATE-TIME
}

// listed tells of segments; nil where nobody wants to know.
func (p *Pipeline) listed() func(packager.Published) {
	notice := p.deps.Notice
	if notice == nil {
		return nil
	}
	return func(l packager.Published) {
		notice(status.Event{Time: time.Now(), Type: "segment", Path: p.path, Data: segment{
			Rendition: l.Rendition, Number: l.Number, URL: "/hls/" + p.path + "/" + l.Rendition + "/" + l.URI,
			Duration: l.Duration.Seconds(), Size: l.Size, Start: l.Wall,
		}})
	}
}
