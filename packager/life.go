package packager

import (
	"time"

	"github.com/millrace/millrace/packager/store"
)

// respecify puts a new plan's description into force.
func (r *rendition) respecify(spec Rendition) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if last := r.window.Load().last(); last != nil && (spec.Copy != r.spec.Copy || spec.Bitrate != r.spec.Bitrate) {
		r.replaced, r.replace = true, last.discontinuity
	}
	r.spec, r.retired = spec, time.Time{}
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	r.shown.spec, r.shown.retired = spec, false
}

// retire takes a rendition out of the plan.
func (r *rendition) retire() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.retired.IsZero() {
		r.retired = time.Now()
	}
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	r.shown.retired = true
}

// vanished reports whether a retired rendition has gone on as GAP for long
// enough that players have left it.
func (r *rendition) vanished() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.retired.IsZero() && time.Since(r.retired) > r.p.cfg.Window
}

// skip lists what is missing below a segment that nobody will complete any
// more, and refuses what comes late.
func (r *rendition) skip(number uint64) error {
	if r.text != nil {
		r.skipTexts(number)
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.fillGaps(number)
	r.floor = max(r.floor, number)
	return err
}

// end writes EXT-X-ENDLIST and lets everybody go who waits.
func (r *rendition) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := *r.window.Load()
	w.ended, w.open = true, nil
	r.show(&w, true)
}

// close gives up the media. What is on disk for later, VOD or time shift,
// stays.
func (r *rendition) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	leave := (*store.File).Remove
	if r.p.cfg.VOD || r.p.cfg.DVR > 0 {
		leave = (*store.File).Release
	}
	if r.cur != nil {
		r.cur.removeFiles()
	}
	r.cur, r.held = nil, nil
	r.pending.reset()
	for _, s := range r.window.Load().held {
		if s.partsFile != nil {
			s.partsFile.Remove()
		}
		if s.file != nil {
			leave(s.file)
		}
	}
	r.swap(&window{ended: true}, true)
}
