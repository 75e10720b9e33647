// Package hashes is the natives behind node:crypto and globalThis.crypto:
// digests, HMACs, random bytes, keys made from passwords, and the ciphers that
// packages for cookies and tokens use.
package hashes

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"crypto/subtle"
	"encoding"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strings"

	"github.com/dop251/goja"
	"golang.org/x/crypto/blake2b"
	"golang.org/x/crypto/blake2s"
	"golang.org/x/crypto/ripemd160" //nolint:staticcheck // Node has it, and old protocols want it

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
)

// Module is the name of the natives.
const Module = "internal:crypto"

var algorithms = map[string]func() hash.Hash{
	"md5": md5.New, "sha1": sha1.New, "sha224": sha256.New224, "sha256": sha256.New,
	"sha384": sha512.New384, "sha512": sha512.New, "sha512-224": sha512.New512_224, "sha512-256": sha512.New512_256,
	"sha3-224":   func() hash.Hash { return sha3.New224() },
	"sha3-256":   func() hash.Hash { return sha3.New256() },
	"sha3-384":   func() hash.Hash { return sha3.New384() },
	"sha3-512":   func() hash.Hash { return sha3.New512() },
	"blake2b512": func() hash.Hash { h, _ := blake2b.New512(nil); return h },
	"blake2s256": func() hash.Hash { h, _ := blake2s.New256(nil); return h },
	"ripemd160":  ripemd160.New,
}

// find knows OpenSSL's other names too: SHA-256, RSA-SHA256, rmd160.
func find(name string) (func() hash.Hash, bool) {
	name = strings.TrimPrefix(strings.ToLower(name), "rsa-")
	if f := algorithms[name]; f != nil {
		return f, true
	}
	switch name {
	case "rmd160", "ripemd":
		name = "ripemd160"
	case "sha512/256":
		name = "sha512-256"
	default:
		name = strings.Replace(name, "sha-", "sha", 1)
	}
	f := algorithms[name]
	return f, f != nil
}

// Provide gives a loop the natives of node:crypto.
func Provide(l *loop.Loop) {
	l.Provide(Module, func(l *loop.Loop) goja.Value {
		o := native.New(l)
		// hash(algorithm): an object, undefined where the algorithm is unknown.
		o.Func("hash", func(a native.Args) (any, error) {
			f, ok := find(a.String(0))
			if !ok {
				return nil, nil
			}
			return digest(l, f(), f), nil
		})
		o.Func("hmac", func(a native.Args) (any, error) {
			f, ok := find(a.String(0))
			if !ok {
				return nil, nil
			}
			return digest(l, hmac.New(f, a.Copy(1)), nil), nil
		})
		o.Func("hashes", func(native.Args) (any, error) { return slices.Sorted(maps.Keys(algorithms)), nil })
		o.Func("random", func(a native.Args) (any, error) {
			b := make([]byte, a.Int(0))
			_, err := rand.Read(b)
			return b, err
		})
		// fill(view): random bytes in place.
		o.Func("fill", func(a native.Args) (any, error) {
			_, err := rand.Read(a.Bytes(0))
			return nil, err
		})
		o.Func("uuid", func(native.Args) (any, error) { return uuid(), nil })
		o.Func("equal", func(a native.Args) (any, error) {
			return subtle.ConstantTimeCompare(a.Bytes(0), a.Bytes(1)) == 1, nil
		})
		provideKeys(o)
		provideCiphers(o)
		return o.Object
	})
}

func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// digest is a hash as a script's object: update(bytes), digest(), copy().
func digest(l *loop.Loop, h hash.Hash, fresh func() hash.Hash) native.Object {
	o := native.New(l)
	o.Func("update", func(a native.Args) (any, error) {
		_, err := h.Write(a.Bytes(0))
		return nil, err
	})
	o.Func("digest", func(native.Args) (any, error) { return h.Sum(nil), nil })
	o.Func("copy", func(native.Args) (any, error) {
		from, ok := h.(encoding.BinaryMarshaler)
		if !ok || fresh == nil {
			return nil, &loop.Error{Code: "ERR_CRYPTO_UNSUPPORTED_OPERATION", Message: "this digest cannot be copied"}
		}
		state, err := from.MarshalBinary()
		if err != nil {
			return nil, err
		}
		other := fresh()
		to, ok := other.(encoding.BinaryUnmarshaler)
		if !ok {
			return nil, &loop.Error{Code: "ERR_CRYPTO_UNSUPPORTED_OPERATION", Message: "this digest cannot be copied"}
		}
		return digest(l, other, fresh), to.UnmarshalBinary(state)
	})
	return o
}
