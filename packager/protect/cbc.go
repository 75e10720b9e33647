package protect

import (
	"crypto/cipher"
	"crypto/subtle"
	"errors"
)

const blockSize = 16

// ErrNotEncrypted says that bytes are not what a key encrypted.
var ErrNotEncrypted = errors.New("cannot be decrypted with this key")

// Stream encrypts one segment as it grows: AES-128 in CBC mode, with PKCS #7
// padding at its end. The value is its whole state: a copy goes on from where
// it was taken.
type Stream struct {
	block cipher.Block
	iv    [blockSize]byte // the last block that was put out
	rest  [blockSize]byte // of the input: no whole block yet
	n     int             // bytes of rest
}

// NewStream begins a segment.
func (k *Key) NewStream(iv [16]byte) Stream { return Stream{block: k.block(), iv: iv} }

// Append encrypts what comes next, as far as it makes whole blocks, behind
// dst. The buffers are only read, and must not overlap with dst.
func (s *Stream) Append(dst []byte, buffers ...[]byte) []byte {
	start := len(dst)
	dst = append(dst, s.rest[:s.n]...)
	for _, b := range buffers {
		dst = append(dst, b...)
	}
	whole := (len(dst) - start) &^ (blockSize - 1)
	s.n = copy(s.rest[:], dst[start+whole:])
	dst = dst[:start+whole]
	s.encrypt(dst[start:])
	return dst
}

// Finish encrypts what is left, with its padding, behind dst. Nothing can be
// added then.
func (s *Stream) Finish(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, s.rest[:s.n]...)
	for pad := blockSize - s.n; len(dst)-start < blockSize; {
		dst = append(dst, byte(pad))
	}
	s.encrypt(dst[start:])
	s.n = 0
	return dst
}

func (s *Stream) encrypt(b []byte) {
	if len(b) == 0 {
		return
	}
	cipher.NewCBCEncrypter(s.block, s.iv[:]).CryptBlocks(b, b)
	copy(s.iv[:], b[len(b)-blockSize:])
}

// Seal encrypts something whole, in place of which it is appended to dst.
func (k *Key) Seal(dst []byte, iv [16]byte, buffers ...[]byte) []byte {
	s := k.NewStream(iv)
	return s.Finish(s.Append(dst, buffers...))
}

// Open decrypts, in place, what Seal or a Stream encrypted, and returns it
// without its padding.
func (k *Key) Open(b []byte, iv [16]byte) ([]byte, error) {
	if len(b) == 0 || len(b)%blockSize != 0 {
		return nil, ErrNotEncrypted
	}
	cipher.NewCBCDecrypter(k.block(), iv[:]).CryptBlocks(b, b)
	pad := int(b[len(b)-1])
	if pad == 0 || pad > blockSize {
		return nil, ErrNotEncrypted
	}
	good := 1
	for _, v := range b[len(b)-pad:] {
		good &= subtle.ConstantTimeByteEq(v, byte(pad))
	}
	if good == 0 {
		return nil, ErrNotEncrypted
	}
	return b[:len(b)-pad], nil
}
