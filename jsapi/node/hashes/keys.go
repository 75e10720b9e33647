package hashes

import (
	"context"
	"crypto/hkdf"
	"crypto/pbkdf2"
	"fmt"

	"golang.org/x/crypto/scrypt"

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
)

// derive gives the bytes of a key.
type derive func() ([]byte, error)

// provideKeys adds pbkdf2, scrypt and hkdf, each with a form that ends in a
// callback and one that does its work at once, name + Sync.
func provideKeys(o native.Object) {
	both := func(name string, arity int, prepare func(native.Args) (derive, error)) {
		o.Func(name, func(a native.Args) (any, error) {
			work, err := prepare(a)
			if err != nil {
				return nil, err
			}
			a.Later(arity, func(context.Context) (any, error) { return work() })
			return nil, nil
		})
		o.Func(name+"Sync", func(a native.Args) (any, error) {
			work, err := prepare(a)
			if err != nil {
				return nil, err
			}
			return work()
		})
	}
	// pbkdf2(password, salt, iterations, length, digest)
	both("pbkdf2", 5, func(a native.Args) (derive, error) {
		password, salt, iterations, length := string(a.Bytes(0)), a.Copy(1), int(a.Int(2)), int(a.Int(3))
		h, ok := find(a.String(4))
		if !ok {
			return nil, unknown(a.String(4))
		}
		return func() ([]byte, error) { return pbkdf2.Key(h, password, salt, iterations, length) }, nil
	})
	// scrypt(password, salt, length, N, r, p, memory)
	both("scrypt", 7, func(a native.Args) (derive, error) {
		password, salt, length := a.Copy(0), a.Copy(1), int(a.Int(2))
		n, r, p, limit := int(a.Int(3)), int(a.Int(4)), int(a.Int(5)), a.Int(6)
		if n > 0 && r > 0 && int64(n) > limit/int64(128*r) {
			return nil, &loop.Error{
				Name: "RangeError", Code: "ERR_CRYPTO_INVALID_SCRYPT_PARAMS",
				Message: fmt.Sprintf("Invalid scrypt params: memory limit exceeded (%d bytes; raise maxmem)", limit),
			}
		}
		return func() ([]byte, error) {
			b, err := scrypt.Key(password, salt, n, r, p, length)
			if err != nil {
				return nil, &loop.Error{Name: "RangeError", Code: "ERR_CRYPTO_INVALID_SCRYPT_PARAMS", Message: "Invalid scrypt params: " + err.Error()}
			}
			return b, nil
		}, nil
	})
	// hkdf(digest, key, salt, info, length)
	both("hkdf", 5, func(a native.Args) (derive, error) {
		h, ok := find(a.String(0))
		if !ok {
			return nil, unknown(a.String(0))
		}
		key, salt, info, length := a.Copy(1), a.Copy(2), string(a.Bytes(3)), int(a.Int(4))
		return func() ([]byte, error) { return hkdf.Key(h, key, salt, info, length) }, nil
	})
}

func unknown(digest string) error {
	return &loop.Error{Name: "TypeError", Code: "ERR_CRYPTO_INVALID_DIGEST", Message: "Invalid digest: " + digest}
}
