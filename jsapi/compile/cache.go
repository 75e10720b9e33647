package compile

import (
	"crypto/sha256"
	"sync"
)

// kept is how many programs the cache holds: a server runs a handful of
// scripts, each in a few versions while somebody edits it.
const kept = 64

// programs are by the hash of what goja would compile.
var programs = struct {
	sync.Mutex
	byHash map[[sha256.Size]byte]*Program
	order  [][sha256.Size]byte
}{byHash: make(map[[sha256.Size]byte]*Program)}

// cached compiles a bundle unless one with the same bytes was compiled before.
func cached(b *bundled) (*Program, error) {
	h := sha256.New()
	for _, part := range [][]byte{[]byte(b.path), b.source, b.maps} {
		_, _ = h.Write(part)
		_, _ = h.Write([]byte{0})
	}
	key := [sha256.Size]byte(h.Sum(nil))
	programs.Lock()
	p := programs.byHash[key]
	programs.Unlock()
	if p != nil {
		return p, nil
	}
	p, err := b.compile()
	if err != nil {
		return nil, err
	}
	programs.Lock()
	defer programs.Unlock()
	if other := programs.byHash[key]; other != nil {
		return other, nil
	}
	if len(programs.order) == kept {
		delete(programs.byHash, programs.order[0])
		programs.order = programs.order[1:]
	}
	programs.byHash[key] = p
	programs.order = append(programs.order, key)
	return p, nil
}
