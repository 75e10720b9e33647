package protect

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
)

// Method is how media is encrypted.
type Method string

// The methods. AES128 encrypts whole segments, CBCS samples.
const (
	AES128 Method = "aes-128"
	CBCS   Method = "cbcs"
)

// Key is a key for a while of media.
type Key struct {
	ID    [16]byte // names it, and is the KID of Common Encryption
	Value [16]byte // secret
	IV    [16]byte // the constant IV of CBCS
}

// NewKey makes a key that nobody can guess, nor its name.
func NewKey() *Key {
	k := &Key{}
	for _, b := range [][]byte{k.ID[:], k.Value[:], k.IV[:]} {
		_, _ = rand.Read(b) // never fails
	}
	return k
}

// Name is the ID in hexadecimal digits.
func (k *Key) Name() string { return hex.EncodeToString(k.ID[:]) }

// String keeps the secret out of logs.
func (k *Key) String() string { return "key " + k.Name() }

// GoString is String, for %#v.
func (k *Key) GoString() string { return k.String() }

func (k *Key) block() cipher.Block {
	b, err := aes.NewCipher(k.Value[:])
	if err != nil {
		panic(err) // 16 bytes are a key
	}
	return b
}

// Parse128 reads 128 bits written as 32 hexadecimal digits.
func Parse128(s string) (b [16]byte, err error) {
	raw, err := hex.DecodeString(s)
	if err != nil || len(raw) != len(b) {
		// The text may be a secret: it is not repeated.
		return b, errors.New("not 32 hexadecimal digits")
	}
	return [16]byte(raw), nil
}

// ReadValue reads a key's value from a file: 16 bytes, or 32 hexadecimal digits
// with or without an end of line.
func ReadValue(path string) (b [16]byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return b, fmt.Errorf("read key: %w", err)
	}
	defer func() { _ = f.Close() }()
	raw := make([]byte, 64)
	n, err := f.Read(raw)
	if err != nil {
		return b, fmt.Errorf("read key from %s: %w", path, err)
	}
	if n == len(b) {
		return [16]byte(raw[:n]), nil
	}
	for n > 0 && (raw[n-1] == '\n' || raw[n-1] == '\r') {
		n--
	}
	if b, err = Parse128(string(raw[:n])); err != nil {
		return b, fmt.Errorf("read key from %s: neither 16 bytes nor 32 hexadecimal digits", path)
	}
	return b, nil
}
