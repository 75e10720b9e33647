package fmp4

// Sample is one access unit or audio frame of a fragment. Duration and offset
// are ticks of the track's clock.
type Sample struct {
	Duration uint32
	Offset   int32 // presentation minus decoding time
	Key      bool  // a sync sample
	Payload  []byte
}

// Flags of trun and tfhd (ISO/IEC 14496-12 §8.8.7, §8.8.8) and of samples
// (§8.8.3.1).
const (
	tfhdDefaultDuration   = 0x000008
	tfhdDefaultSize       = 0x000010
	tfhdDefaultFlags      = 0x000020
	tfhdDefaultBaseIsMoof = 0x020000

	trunDataOffset = 0x001
	trunFirstFlags = 0x004
	trunDuration   = 0x100
	trunSize       = 0x200
	trunFlags      = 0x400
	trunOffset     = 0x800

	sampleSync    = 0x02000000 // depends on no other
	sampleNonSync = 0x01010000 // depends on others, no sync sample
)

// AppendFragment appends a moof with the samples and the header of the mdat to
// b. The samples' payloads must follow, in order. The sequence number grows
// with each fragment of a file; base is the decoding time of the first sample.
func AppendFragment(b []byte, sequence uint32, base uint64, samples []Sample) []byte {
	return AppendProtected(b, sequence, base, samples, nil)
}

// AppendProtected is AppendFragment for encrypted samples: there are as many
// lists of subsamples, or none where samples are encrypted as a whole.
func AppendProtected(b []byte, sequence uint32, base uint64, samples []Sample, subsamples [][]Subsample) []byte {
	payload := 0
	sameDuration, allKeys, anyOffset := true, true, false
	for i := range samples {
		s := &samples[i]
		payload += len(s.Payload)
		sameDuration = sameDuration && s.Duration == samples[0].Duration
		allKeys = allKeys && s.Key
		anyOffset = anyOffset || s.Offset != 0
	}
	tfhd, trun, each := uint32(tfhdDefaultBaseIsMoof), uint32(trunDataOffset|trunSize), 4
	if sameDuration {
		tfhd |= tfhdDefaultDuration
	} else {
		trun |= trunDuration
		each += 4
	}
	if allKeys {
		tfhd |= tfhdDefaultFlags
	} else {
		trun |= trunFlags
		each += 4
	}
	if anyOffset {
		trun |= trunOffset
		each += 4
	}
	tfhdSize := 16
	if sameDuration {
		tfhdSize += 4
	}
	if allKeys {
		tfhdSize += 4
	}
	const tfdtSize, mfhdSize = 20, 16
	trunBytes := 20 + each*len(samples)
	senc, saiz, saio := auxiliary(subsamples)
	traf := 8 + tfhdSize + tfdtSize + trunBytes + senc + saiz + saio
	moof := 8 + mfhdSize + traf

	w := writer{b: b}
	w.header(moof, "moof")
	w.header(mfhdSize, "mfhd")
	w.u32(0)
	w.u32(sequence)
	w.header(traf, "traf")
	w.header(tfhdSize, "tfhd")
	w.u32(tfhd)
	w.u32(TrackID)
	if sameDuration {
		if len(samples) > 0 {
			w.u32(samples[0].Duration)
		} else {
			w.u32(0)
		}
	}
	if allKeys {
		w.u32(sampleSync)
	}
	w.header(tfdtSize, "tfdt")
	w.u32(1 << 24)
	w.u64(base)
	w.header(trunBytes, "trun")
	w.u32(1<<24 | trun)
	w.u32(uint32(len(samples)))
	w.u32(uint32(moof + 8)) // to the first byte after the mdat's header
	for i := range samples {
		s := &samples[i]
		if !sameDuration {
			w.u32(s.Duration)
		}
		w.u32(uint32(len(s.Payload)))
		if !allKeys {
			if s.Key {
				w.u32(sampleSync)
			} else {
				w.u32(sampleNonSync)
			}
		}
		if anyOffset {
			w.u32(uint32(s.Offset))
		}
	}
	w.auxiliary(subsamples, moof-senc-saiz-saio)
	w.header(8+payload, "mdat")
	return w.b
}

func (w *writer) header(size int, name string) {
	w.u32(uint32(size))
	w.str(name)
}
