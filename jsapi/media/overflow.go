package media

import (
	"github.com/millrace/millrace/internal/media"
)

// overflow is what a full queue does.
type overflow string

const (
	block      overflow = ""           // waits
	dropNonRef overflow = "dropNonRef" // drops pictures that no other needs, then as dropToKey
	dropToKey  overflow = "dropToKey"  // drops up to the next keyframe
	latest     overflow = "latest"     // gives up the old ones
)

// overflows are the names that scripts use.
var overflows = map[string]overflow{"block": block, "dropNonRef": dropNonRef, "dropToKey": dropToKey, "latest": latest}

// admit decides whether o is queued, with the lock held. Of a track that has
// lost a packet nothing is queued before its next keyframe.
func (q *queue) admit(o *object) bool {
	id, key := 0, true
	if p := o.packet; p != nil {
		id, key = p.Track.ID, p.Key
	}
	if q.gap[id] && !key {
		q.dropped++
		return false
	}
	if !q.full() {
		delete(q.gap, id)
		return true
	}
	switch q.overflow {
	case latest:
		q.clearOld(o)
		if o.packet != nil && !key {
			q.gap[id] = true
			q.dropped++
			return false
		}
		delete(q.gap, id)
		return true
	case dropNonRef:
		if o.packet != nil && disposable(o.packet) {
			q.dropped++
			return false
		}
		if q.makeRoom() {
			return true
		}
	}
	q.dropped++
	if o.packet != nil && o.packet.Track.Kind == media.Video {
		q.gap[id] = true
	}
	return false
}

// clearOld gives up all that is queued.
func (q *queue) clearOld(*object) {
	for i := range q.items {
		if p := q.items[i].packet; p != nil && p.Track.Kind == media.Video {
			q.gap[p.Track.ID] = true
		}
		q.items[i].close()
		q.dropped++
	}
	clear(q.items)
	q.items, q.bytes = q.items[:0], 0
}

// makeRoom gives up a queued picture that no other needs.
func (q *queue) makeRoom() bool {
	for i := range q.items {
		if p := q.items[i].packet; p != nil && disposable(p) {
			q.bytes -= int64(len(p.Payload))
			q.items = append(q.items[:i], q.items[i+1:]...)
			q.dropped++
			return true
		}
	}
	return false
}

// disposable reports whether no other picture is predicted from this one, as
// far as its codec says so in the NAL header.
func disposable(p *media.Packet) bool {
	if p.Key || p.Track.Kind != media.Video || p.Track.Codec != media.H264 && p.Track.Codec != media.H265 {
		return false
	}
	b := p.Payload
	if len(b) <= 4 {
		return false
	}
	for len(b) > 4 {
		n := int(b[0])<<24 | int(b[1])<<16 | int(b[2])<<8 | int(b[3])
		if n <= 0 || n > len(b)-4 {
			return false
		}
		if needed(p.Track.Codec, b[4]) {
			return false
		}
		b = b[4+n:]
	}
	return true
}

// needed reads the first byte of a NAL unit: of H.264 nal_ref_idc, of H.265
// the types of sub-layer non-reference pictures.
func needed(c media.Codec, header byte) bool {
	if c == media.H264 {
		kind := header & 0x1f
		return kind >= 1 && kind <= 5 && header>>5&3 != 0
	}
	kind := header >> 1 & 0x3f
	return kind < 32 && (kind >= 16 || kind%2 == 1)
}
