package check

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"

	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/packager/protect"
)

// keyring fetches each key once.
type keyring struct {
	mu   sync.Mutex
	keys map[string]*fetchedKey // by URL
}

type fetchedKey struct {
	*answer
	once sync.Once
}

// keySize is what a key of KEYFORMAT identity is (§5.1).
const keySize = 16

// keyLimit is how much of an answer is looked at.
const keyLimit = 1 << 10

// get fetches a key, or remembers it.
func (r *keyring) get(ctx context.Context, c *client, u *url.URL) *answer {
	r.mu.Lock()
	if r.keys == nil {
		r.keys = map[string]*fetchedKey{}
	}
	k := r.keys[u.String()]
	if k == nil {
		k = &fetchedKey{}
		r.keys[u.String()] = k
	}
	r.mu.Unlock()
	k.once.Do(func() { k.answer = c.get(ctx, u, keyLimit, false) })
	return k.answer
}

// lock is what stands between a piece and its media.
type lock struct {
	key     *answer // nil where media is in the clear, or its key is no identity key
	refused error   // the key does not fit
}

// unlock decrypts what was downloaded; nil where it cannot be. It does not
// alter b.
func (f *followed) unlock(ctx context.Context, l *lock, keys playlist.InForce, number uint64, b []byte) []byte {
	if len(keys) == 0 {
		return b
	}
	k := keys.Identity()
	sample := keys[0].Method != playlist.MethodAES128
	// Samples lie in boxes that can be read without their key.
	if k == nil {
		return encrypted(b, sample)
	}
	u, err := f.resolve(k.URI)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return encrypted(b, sample)
	}
	l.key = f.client.keys.get(ctx, f.client, u)
	if !l.key.ok() || len(l.key.body) != keySize || sample {
		return encrypted(b, sample)
	}
	plain, err := (&protect.Key{Value: [keySize]byte(l.key.body)}).Open(bytes.Clone(b), k.IVOf(number))
	if err != nil {
		l.refused = err
		if len(b)%keySize != 0 {
			l.refused = fmt.Errorf("%w: %d bytes are no whole blocks", err, len(b))
		}
		return nil
	}
	return plain
}

func encrypted(b []byte, readable bool) []byte {
	if readable {
		return b
	}
	return nil
}

// errNoKID says that nothing tells how samples are encrypted.
var errNoKID = errors.New("its initialization section tells of no encryption")

// unlockSamples decrypts samples in place, where the key is there.
func (l *lock) unlockSamples(c *contents, s *section, keys playlist.InForce) {
	if keys[0].Method == playlist.MethodAES128 || !l.key.ok() || len(l.key.body) != keySize ||
		len(c.fragments) == 0 || s == nil || s.h == nil {
		return
	}
	if s.h.Protection == nil {
		l.refused = errNoKID
		return
	}
	l.refused = (&protect.Key{Value: [keySize]byte(l.key.body)}).OpenFragments(c.fragments, s.h.Protection)
}
