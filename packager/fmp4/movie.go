package fmp4

import (
	"fmt"
	"slices"
)

// MovieTrack is a track of a file with several.
type MovieTrack struct {
	Init []byte // its initialization section, with one track
	// Skip is where presentation starts, in ticks after the first sample's
	// decoding time: what a first picture waits for those before it.
	Skip uint32
}

// Movie writes the initialization section of a file that has several tracks.
// They get the IDs 1, 2, …; see AppendTrackFragment.
func Movie(tracks ...MovieTrack) ([]byte, error) {
	w := &writer{}
	w.box("ftyp", func() {
		w.str("iso6") // default-base-is-moof and signed composition offsets
		w.u32(1)
		w.str("iso6")
		w.str("mp41")
	})
	var err error
	w.box("moov", func() {
		var mvhd []byte
		var extends [][]byte
		var moov, mvex, trex []byte
		for _, t := range tracks {
			if moov, err = find(t.Init, "moov"); err != nil {
				return
			}
			if mvhd, err = find(moov, "mvhd"); err != nil {
				return
			}
			if mvex, err = find(moov, "mvex"); err != nil {
				return
			}
			if trex, err = find(mvex, "trex"); err != nil {
				return
			}
			if len(mvhd) < 4 || len(trex) < 8 {
				err = fmt.Errorf("%w: short mvhd or trex", ErrBroken)
				return
			}
			extends = append(extends, slices.Clone(trex))
		}
		w.box("mvhd", func() {
			w.bytes(mvhd[:max(len(mvhd)-4, 0)])
			w.u32(uint32(len(tracks) + 1)) // the next track's ID
		})
		for i, t := range tracks {
			if err = w.movieTrack(uint32(i+1), t); err != nil {
				return
			}
		}
		w.box("mvex", func() {
			for i, trex := range extends {
				be.PutUint32(trex[4:], uint32(i+1))
				w.box("trex", func() { w.bytes(trex) })
			}
		})
	})
	if err != nil {
		return nil, fmt.Errorf("join tracks: %w", err)
	}
	return w.b, nil
}

func (w *writer) movieTrack(id uint32, t MovieTrack) error {
	moov, err := find(t.Init, "moov")
	if err != nil {
		return err
	}
	trak, err := find(moov, "trak")
	if err != nil {
		return err
	}
	w.box("trak", func() {
		err = each(trak, func(name string, body []byte) error {
			if name != "tkhd" {
				w.box(name, func() { w.bytes(body) })
				return nil
			}
			if len(body) < 84 {
				return fmt.Errorf("%w: short tkhd", ErrBroken)
			}
			tkhd := slices.Clone(body)
			be.PutUint32(tkhd[12:], id)
			w.box(name, func() { w.bytes(tkhd) })
			if t.Skip > 0 {
				w.box("edts", func() {
					w.full("elst", 0, func() {
						w.u32(1)
						w.u32(0) // to the end, which is not known
						w.u32(t.Skip)
						w.u32(0x10000) // at the normal rate
					})
				})
			}
			return nil
		})
	})
	return err
}

// trackIDAt is where in a fragment of ours its track's ID stands: behind moof,
// mfhd and the headers of traf and tfhd.
const trackIDAt = 8 + 16 + 8 + 12

// AppendTrackFragment is AppendFragment for a file with several tracks.
func AppendTrackFragment(b []byte, track, sequence uint32, base uint64, samples []Sample) []byte {
	start := len(b)
	b = AppendFragment(b, sequence, base, samples)
	be.PutUint32(b[start+trackIDAt:], track)
	return b
}
