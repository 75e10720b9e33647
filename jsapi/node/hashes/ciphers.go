package hashes

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"regexp"
	"strconv"

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
)

// CipherNames are the ciphers that there are.
var CipherNames = []string{
	"aes-128-cbc", "aes-128-ctr", "aes-128-gcm", "aes-192-cbc", "aes-192-ctr", "aes-192-gcm",
	"aes-256-cbc", "aes-256-ctr", "aes-256-gcm",
}

var cipherName = regexp.MustCompile(`^(?:id-)?aes-?(128|192|256)-(cbc|ctr|gcm)$`)

// provideCiphers adds cipher(name, key, iv, decrypt): an object with
// update(bytes), final(), padding(on), tag(bytes or none) and aad(bytes).
func provideCiphers(o native.Object) {
	o.Func("ciphers", func(native.Args) (any, error) { return CipherNames, nil })
	o.Func("cipher", func(a native.Args) (any, error) {
		c, err := newAES(a.String(0), a.Copy(1), a.Copy(2), a.Bool(3))
		if err != nil {
			return nil, err
		}
		o := native.New(a.Loop)
		o.Func("update", func(a native.Args) (any, error) { return c.update(a.Bytes(0)), nil })
		o.Func("final", func(native.Args) (any, error) { return c.final() })
		o.Func("padding", func(a native.Args) (any, error) { c.padding = a.Bool(0); return nil, nil })
		o.Func("aad", func(a native.Args) (any, error) { c.aad = append(c.aad, a.Bytes(0)...); return nil, nil })
		o.Func("tag", func(a native.Args) (any, error) {
			if a.Given(0) {
				c.tag = a.Copy(0)
			}
			return c.tag, nil
		})
		return o, nil
	})
}

// aesCipher is AES in one of three modes. GCM keeps what it was given until
// final: nothing leaves it that was not authenticated.
type aesCipher struct {
	decrypt, padding bool
	stream           cipher.Stream
	block            cipher.BlockMode
	aead             cipher.AEAD
	nonce, aad, tag  []byte
	held             []byte
}

func newAES(name string, key, iv []byte, decrypt bool) (*aesCipher, error) {
	m := cipherName.FindStringSubmatch(name)
	if m == nil {
		return nil, &loop.Error{
			Code: "ERR_CRYPTO_UNKNOWN_CIPHER", Message: fmt.Sprintf("Unknown cipher: %s (there are AES in CBC, CTR and GCM)", name),
		}
	}
	if bits, err := strconv.Atoi(m[1]); err != nil || len(key)*8 != bits {
		return nil, &loop.Error{Name: "RangeError", Code: "ERR_CRYPTO_INVALID_KEYLEN", Message: "Invalid key length"}
	}
	if m[2] != "gcm" && len(iv) != aes.BlockSize || len(iv) == 0 {
		return nil, &loop.Error{Name: "TypeError", Code: "ERR_CRYPTO_INVALID_IV", Message: "Invalid initialization vector"}
	}
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	c := &aesCipher{decrypt: decrypt, padding: true, nonce: iv}
	switch {
	case m[2] == "ctr":
		c.stream = cipher.NewCTR(b, iv)
	case m[2] == "gcm":
		c.aead, err = cipher.NewGCMWithNonceSize(b, len(iv))
	case decrypt:
		c.block = cipher.NewCBCDecrypter(b, iv)
	default:
		c.block = cipher.NewCBCEncrypter(b, iv)
	}
	return c, err
}

func (c *aesCipher) update(b []byte) []byte {
	if c.stream != nil {
		out := make([]byte, len(b))
		c.stream.XORKeyStream(out, b)
		return out
	}
	c.held = append(c.held, b...)
	if c.aead != nil {
		return []byte{}
	}
	n := len(c.held) / aes.BlockSize * aes.BlockSize
	if c.decrypt && c.padding && n == len(c.held) && n > 0 {
		n -= aes.BlockSize // the last block holds the padding
	}
	out := make([]byte, n)
	c.block.CryptBlocks(out, c.held[:n])
	c.held = append([]byte(nil), c.held[n:]...)
	return out
}

func (c *aesCipher) final() ([]byte, error) {
	switch {
	case c.stream != nil:
		return []byte{}, nil
	case c.aead != nil && c.decrypt:
		out, err := c.aead.Open(nil, c.nonce, append(c.held, c.tag...), c.aad)
		if err != nil {
			return nil, &loop.Error{Message: "Unsupported state or unable to authenticate data"}
		}
		return append([]byte{}, out...), nil
	case c.aead != nil:
		sealed := c.aead.Seal(nil, c.nonce, c.held, c.aad)
		n := len(sealed) - c.aead.Overhead()
		c.tag = sealed[n:]
		return sealed[:n:n], nil
	case !c.padding:
		if len(c.held) > 0 {
			return nil, &loop.Error{Code: "ERR_OSSL_WRONG_FINAL_BLOCK_LENGTH", Message: "wrong final block length"}
		}
		return []byte{}, nil
	case c.decrypt:
		return c.unpad()
	}
	n := aes.BlockSize - len(c.held)
	out := append(c.held, bytes.Repeat([]byte{byte(n)}, n)...)
	c.block.CryptBlocks(out, out)
	return out, nil
}

func (c *aesCipher) unpad() ([]byte, error) {
	if len(c.held) != aes.BlockSize {
		return nil, &loop.Error{Code: "ERR_OSSL_WRONG_FINAL_BLOCK_LENGTH", Message: "wrong final block length"}
	}
	out := make([]byte, aes.BlockSize)
	c.block.CryptBlocks(out, c.held)
	n := int(out[len(out)-1])
	if n == 0 || n > len(out) || !bytes.Equal(out[len(out)-n:], bytes.Repeat([]byte{byte(n)}, n)) {
		return nil, &loop.Error{Code: "ERR_OSSL_BAD_DECRYPT", Message: "bad decrypt"}
	}
	return out[:len(out)-n], nil
}
