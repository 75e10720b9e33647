package mpegts

import (
	"bytes"

	"github.com/millrace/millrace/internal/media"
)

// metadata takes timed ID3 ("Timed Metadata for HTTP Live Streaming"): a tag in
// a PES packet, at its time.
type metadata struct{ r *Receiver }

func (d metadata) unit(u unit) {
	if u.damaged || !u.hasPTS || !bytes.HasPrefix(u.data, []byte("ID3")) {
		return
	}
	m := media.Marker{Kind: media.Metadata, ID3: bytes.Clone(u.data)}
	if m.Check() != nil {
		d.r.fault(errMarker)
		return
	}
	d.r.breaks.mark(u.pts, m)
}
