package protect

import (
	"crypto/cipher"
	"errors"
	"fmt"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/fmp4"
)

// The pattern of CBCS for video: of ten blocks one is encrypted (ISO/IEC
// 23001-7 §10.4.2).
const (
	patternCrypt = 1
	patternSkip  = 9
)

// ErrCodec says that nobody has said how a coding is encrypted by samples, or
// that it is not built here.
var ErrCodec = errors.New("cbcs encrypts H.264, H.265 and audio")

// Samples encrypts the samples of one track. It is for one goroutine.
type Samples struct {
	key    *Key
	block  cipher.Block
	slices interface { // nil for sound, whose samples are encrypted as a whole
		clear(nalu []byte) (int, error)
	}
	list []fmp4.Subsample
}

// NewSamples prepares for a track. The error wraps ErrCodec, or says what of
// the configuration cannot be read.
func (k *Key) NewSamples(t *media.Track) (*Samples, error) {
	s := &Samples{key: k, block: k.block()}
	var err error
	switch {
	case t.Kind == media.Audio:
	case t.Codec == media.H264:
		s.slices, err = newH264(t.Config)
	case t.Codec == media.H265:
		s.slices, err = newH265(t.Config)
	default:
		err = ErrCodec
	}
	if err != nil {
		return nil, fmt.Errorf("encrypt %s: %w", t.Codec, err)
	}
	return s, nil
}

// Protection is what the initialization section says of the track.
func (s *Samples) Protection() fmp4.Protection {
	p := fmp4.Protection{KID: s.key.ID, IV: s.key.IV}
	if s.slices != nil {
		p.Crypt, p.Skip = patternCrypt, patternSkip
	}
	return p
}

// Append encrypts a sample behind dst, which must not overlap with it, and
// tells its subsamples, which hold until the next call; none where it is
// encrypted as a whole.
func (s *Samples) Append(dst, sample []byte) ([]byte, []fmp4.Subsample, error) {
	start := len(dst)
	dst = append(dst, sample...)
	b := dst[start:]
	if s.slices == nil {
		whole(cipher.NewCBCEncrypter(s.block, s.key.IV[:]), b)
		return dst, nil, nil
	}
	if err := s.split(b); err != nil {
		return dst[:start], nil, err
	}
	for _, sub := range s.list {
		b = b[sub.Clear:]
		pattern(cipher.NewCBCEncrypter(s.block, s.key.IV[:]), b[:sub.Protected], patternCrypt, patternSkip)
		b = b[sub.Protected:]
	}
	return dst, s.list, nil
}

// split finds the subsamples of an access unit: the video data of each slice is
// encrypted, its header and all other units are not. Where there are more than
// can be told, the last one is encrypted up to the end.
func (s *Samples) split(b []byte) error {
	s.list = s.list[:0]
	clear := 0
	for at := 0; at < len(b); {
		if len(b)-at < 4 {
			return fmt.Errorf("%w: bytes behind the last unit", errHeader)
		}
		n := int(b[at])<<24 | int(b[at+1])<<16 | int(b[at+2])<<8 | int(b[at+3])
		if n < 1 || n > len(b)-at-4 {
			return fmt.Errorf("%w: a unit of %d bytes", errHeader, n)
		}
		nalu := b[at+4 : at+4+n]
		kept, err := s.slices.clear(nalu)
		if err != nil {
			return err
		}
		clear += 4 + kept
		if protected := n - kept; protected >= blockSize {
			if err := s.add(&clear, protected); err != nil {
				return err
			}
		} else {
			clear += protected
		}
		at += 4 + n
	}
	if clear > 0 {
		return s.add(&clear, 0)
	}
	return nil
}

// add notes a piece; a clear run may be longer than one entry can tell.
func (s *Samples) add(clear *int, protected int) error {
	const most = 0xffff
	if len(s.list)+*clear/most+2 > fmp4.MaxSubsamples {
		if len(s.list) == 0 {
			return fmt.Errorf("%w: %d bytes before the first slice", errHeader, *clear)
		}
		s.list[len(s.list)-1].Protected += uint32(*clear + protected)
		*clear = 0
		return nil
	}
	for *clear > most {
		s.list = append(s.list, fmp4.Subsample{Clear: most})
		*clear -= most
	}
	s.list = append(s.list, fmp4.Subsample{Clear: uint16(*clear), Protected: uint32(protected)})
	*clear = 0
	return nil
}

// whole crypts all whole blocks; what is behind them is left as it is.
func whole(c cipher.BlockMode, b []byte) {
	n := len(b) &^ (blockSize - 1)
	c.CryptBlocks(b[:n], b[:n])
}

// pattern crypts some blocks, skips some, and so on. What is no whole run of
// blocks is left as it is.
func pattern(c cipher.BlockMode, b []byte, crypt, skip int) {
	if crypt == 0 || skip == 0 {
		whole(c, b)
		return
	}
	for run := blockSize * crypt; len(b) >= run; {
		c.CryptBlocks(b[:run], b[:run])
		b = b[min(len(b), run+blockSize*skip):]
	}
}

// OpenFragments decrypts the samples of fragments in place, as their
// initialization section says.
func (k *Key) OpenFragments(fragments []fmp4.Fragment, p *fmp4.Protection) error {
	block := k.block()
	for _, f := range fragments {
		for i, sample := range f.Samples {
			b := sample.Payload
			if f.Subsamples == nil {
				whole(cipher.NewCBCDecrypter(block, p.IV[:]), b)
				continue
			}
			for _, sub := range f.Subsamples[i] {
				if uint64(sub.Clear)+uint64(sub.Protected) > uint64(len(b)) {
					return fmt.Errorf("%w: subsamples beyond their sample", fmp4.ErrBroken)
				}
				b = b[sub.Clear:]
				pattern(cipher.NewCBCDecrypter(block, p.IV[:]), b[:sub.Protected], int(p.Crypt), int(p.Skip))
				b = b[sub.Protected:]
			}
		}
	}
	return nil
}

// OpenSamples decrypts, in place, the samples of a segment, as its
// initialization section says. The boxes still say that they are encrypted.
func (k *Key) OpenSamples(b, init []byte) ([]byte, error) {
	h, err := fmp4.ReadInit(init)
	if err != nil {
		return nil, err
	}
	if h.Protection == nil {
		return nil, fmt.Errorf("%w: the initialization section tells of no encryption", fmp4.ErrBroken)
	}
	fragments, err := fmp4.ReadFragments(b)
	if err == nil {
		err = k.OpenFragments(fragments, h.Protection)
	}
	return b, err
}
