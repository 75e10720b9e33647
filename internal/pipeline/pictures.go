package pipeline

import "github.com/millrace/millrace/packager/storyboard"

// pictures is what decodes the pictures of a stream's storyboard: the worker
// that all streams share, and only for who looks at one. Nil where there is
// none.
func (p *Pipeline) pictures() storyboard.Maker {
	if p.deps.Thumbnails == nil {
		return nil
	}
	return p.deps.Thumbnails.JPEG
}
