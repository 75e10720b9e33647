package timeline

// guessing reports whether the depth of reordering may still be raised.
func (tr *track) guessing() bool { return tr.c.Reorder < 0 && tr.reorder.depth < maxGuessedReorder }

// deriveDTS returns the decode time of a picture with presentation time v.
func (tr *track) deriveDTS(v int64) int64 {
	if tr.placed() && v-tr.maxPTS > tr.ticks(gapReset) {
		tr.reorder.reset()
	}
	if tr.guessing() && tr.reorder.tooShallow(v) {
		tr.reorder.deepen()
		tr.t.Repairs.Reorders++
	}
	if tr.reorder.depth > 0 {
		tr.t.Repairs.Derived++
	}
	return tr.reorder.push(v, tr.step)
}

// seamless joins an audio frame to the one before it when the wire's stamp is
// about there: wires with coarse clocks (milliseconds, 90 kHz) round, and
// senders stamp by a jittery clock. A remainder is slewed away. It returns
// false for a frame that overlaps what was placed before a move back.
func (tr *track) seamless(v int64, s Sample) (int64, bool) {
	if !tr.placed() {
		return v, true
	}
	expected := tr.lastDTS + tr.duration
	d := v - expected
	if tr.resync {
		if d < -max(tr.duration/2, 1) {
			return 0, false
		}
		tr.resync = false
	}
	if s.Duration <= 0 || tr.duration <= 0 {
		return v, true
	}
	limit := min(tr.ticks(snapLimit), tr.duration/2)
	slew := max(tr.duration/slewDivisor, 1)
	switch {
	case d > limit || d < -limit:
		return v, true
	case d > tr.ticks(snapFree):
		return expected + slew, true
	case d < -tr.ticks(snapFree):
		return expected - slew, true
	}
	return expected, true
}

// monotonic makes decode times strictly increase, over restarts too. It
// returns false for what would lie before the beginning.
func (tr *track) monotonic(pts, dts int64) (int64, int64, bool) {
	if !tr.placed() {
		floor := tr.t.floorOf(tr)
		if pts < floor {
			return 0, 0, false
		}
		dts = max(dts, floor)
	} else if dts <= tr.lastDTS {
		dts = tr.lastDTS + 1
		tr.t.Repairs.Backwards++
	}
	if pts < dts {
		pts = dts
		if tr.c.Video {
			tr.t.Repairs.PTSFirst++
		}
	}
	return pts, dts, true
}
