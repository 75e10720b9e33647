package packager

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager/playlist"
	"github.com/millrace/millrace/packager/protect"
	"github.com/millrace/millrace/packager/store"
)

// keySuffix is how the names of keys end. They stand beside the multivariant
// playlist, so that whoever may have that may have them, and a viewer needs
// each only once for all renditions.
const keySuffix = ".key"

// Protection says how the media of a presentation is encrypted.
type Protection struct {
	Method protect.Method

	// Rotate is how long a key is in force at least: the first cut after that
	// begins with another one. 0 keeps one key.
	Rotate time.Duration

	// Key is the one key, where it comes from outside. Nil makes keys.
	Key *protect.Key

	// URI is where players find a key, with {id} for its name; empty serves keys
	// beside the multivariant playlist.
	URI string

	// Format and Versions are KEYFORMAT and KEYFORMATVERSIONS; empty means
	// identity, and none.
	Format, Versions string
}

func (c *Config) checkProtection() error {
	switch p := c.Protection; {
	case p == nil:
	case p.Method != protect.AES128 && p.Method != protect.CBCS:
		return errors.New("unknown method of encryption")
	case p.Method == protect.CBCS && c.Container == TS:
		return errors.New("cbcs is for the container fmp4")
	case p.Rotate < 0:
		return errors.New("negative duration")
	case p.Rotate > 0 && p.Key != nil:
		return errors.New("one key does not rotate")
	}
	return nil
}

// wholly reports whether segments are encrypted as a whole.
func (p *Presentation) wholly() bool {
	return p.cfg.Protection != nil && p.cfg.Protection.Method == protect.AES128
}

// key is a key of a presentation, with the tag that names it from inside a
// rendition's folder.
type key struct {
	*protect.Key
	method protect.Method
	tag    playlist.Key
	served bool // here
}

// keyAt is the key of the segment that a cut begins. The caller holds p.change.
func (p *Presentation) keyAt(c media.Cut) *key {
	prot := p.cfg.Protection
	if prot == nil {
		return nil
	}
	if p.key != nil && (prot.Rotate == 0 || c.Wall.Before(p.keyUntil)) {
		return p.key
	}
	value := prot.Key
	if value == nil {
		value = protect.NewKey()
	}
	p.key, p.keyUntil = &key{value, prot.Method, prot.tag(value), prot.URI == ""}, c.Wall.Add(prot.Rotate)
	return p.key
}

func (prot *Protection) tag(k *protect.Key) playlist.Key {
	t := playlist.Key{Method: playlist.MethodAES128, URI: "../" + KeyName(k), Format: prot.Format, Versions: prot.Versions}
	if prot.Method == protect.CBCS {
		t.Method = playlist.MethodSampleAES
	}
	if prot.URI != "" {
		t.URI = strings.ReplaceAll(prot.URI, "{id}", k.Name())
	}
	return t
}

// ivOf is the initialization vector of a whole segment: its number, as players
// take it where the tag has none (RFC 8216bis §5.2).
func (k *key) ivOf(number uint64) [16]byte { return k.tag.IVOf(number) }

// tags are the EXT-X-KEY tags of a segment: before its EXT-X-MAP, where it has
// one, and behind that.
func (k *key) tags(before inForce, hasMap bool) (section, segment []playlist.Key) {
	switch {
	case k == nil && before.key != nil && hasMap: // what time shift has of an earlier configuration
		return []playlist.Key{{Method: playlist.MethodNone}}, nil
	case k == nil && before.key != nil:
		return nil, []playlist.Key{{Method: playlist.MethodNone}}
	case k == nil:
		return nil, nil
	}
	var old *playlist.Key
	if before.key != nil {
		old = &before.key.tag
	}
	return playlist.Place(&k.tag, old, hasMap, before.again)
}

// sessionKeys are the keys that the multivariant playlist tells beforehand: one
// that stays in force. The caller holds p.mu.
func (p *Presentation) sessionKeys() []playlist.Key {
	prot := p.cfg.Protection
	if prot == nil || prot.Rotate > 0 {
		return nil
	}
	for _, r := range p.order {
		if w := r.window.Load(); len(w.keys) > 0 {
			t := w.keys[0].tag
			t.URI = strings.TrimPrefix(t.URI, "../")
			return []playlist.Key{t}
		}
	}
	return nil
}

// keysOf collects the keys of the segments that can be fetched.
func (w *window) keysOf() []*key {
	out := w.keys[:0:0]
	add := func(s *segment) {
		if s != nil && s.key != nil && (len(out) == 0 || out[len(out)-1] != s.key) {
			out = append(out, s.key)
		}
	}
	for _, s := range w.held {
		add(s)
	}
	add(w.open)
	return out
}

// findKey finds a key that some segment needs which can be fetched.
func (p *Presentation) findKey(name string) *key {
	for _, r := range *p.names.Load() {
		for _, k := range r.window.Load().keys {
			if k.Name() == name {
				return k
			}
		}
	}
	return nil
}

// serveKey answers with the octets of a key (RFC 8216bis §5.1). Whoever may see
// the media is let in by who calls the Presentation; no cache keeps them.
func (p *Presentation) serveKey(w http.ResponseWriter, r *http.Request, name string) {
	k := p.findKey(name)
	if k == nil || !k.served {
		notFound(w)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(k.Value)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(k.Value[:]) // an error means that the client is gone
	}
}

// encryption encrypts a segment as a whole while it grows. Its parts are
// fetched one by one and are encrypted one by one: players restart the cipher
// for each, with the vector of their segment. So they have a file of their own.
type encryption struct {
	key    *key
	iv     [16]byte
	stream protect.Stream
}

// encryption prepares that of a segment, nil where there is none.
func (k *key) encryption(number uint64) *encryption {
	if k == nil || k.method != protect.AES128 {
		return nil
	}
	iv := k.ivOf(number)
	return &encryption{key: k, iv: iv, stream: k.NewStream(iv)}
}

// appendEncrypted writes the pieces of a part to the segment's file, and as a part of its
// own. After an error all is as before. No range of the segment can be
// decrypted alone, that of an I-frame neither.
func (r *rendition) appendEncrypted(cur *open, pieces [][]byte) (at written, err error) {
	before := cur.crypt.stream
	defer func() {
		if err != nil {
			cur.crypt.stream = before
		}
	}()
	r.sealed = cur.crypt.stream.Append(r.sealed[:0], pieces...)
	at.size = int64(len(r.sealed))
	if at.offset, err = cur.file.Append(r.sealed); err != nil || !r.p.cfg.LowLatency {
		return at, err
	}
	if cur.partsFile == nil {
		if cur.partsFile, err = (store.Memory{}).Create(cur.uri); err != nil {
			return at, err
		}
	}
	r.sealed = cur.crypt.key.Seal(r.sealed[:0], cur.crypt.iv, pieces...)
	at.size = int64(len(r.sealed))
	at.offset, err = cur.partsFile.Append(r.sealed)
	return at, err
}

// finishEncrypted writes the last block of a segment.
func (r *rendition) finishEncrypted(cur *open) error {
	if cur.crypt == nil {
		return nil
	}
	r.sealed = cur.crypt.stream.Finish(r.sealed[:0])
	_, err := cur.file.Append(r.sealed)
	if err != nil && !cur.spilled {
		if err = r.spill(cur, err); err == nil {
			_, err = cur.file.Append(r.sealed)
		}
	}
	if err == nil && cur.partsFile != nil {
		err = cur.partsFile.Finish()
	}
	return err
}

// ofSamples is the key where it encrypts samples, nil where it does not.
func (k *key) ofSamples() *key {
	if k == nil || k.method != protect.CBCS {
		return nil
	}
	return k
}

// encryptPending encrypts the samples of the open part. The packets keep
// theirs, which others have too.
func (r *rendition) encryptPending() error {
	if r.samples == nil {
		return nil
	}
	size := 0
	for i := range r.pending.samples {
		size += len(r.pending.samples[i].Payload)
	}
	r.sealed = slices.Grow(r.sealed[:0], size)
	for i := range r.pending.samples {
		s := &r.pending.samples[i]
		start := len(r.sealed)
		out, pieces, err := r.samples.Append(r.sealed, s.Payload)
		if err != nil {
			return fmt.Errorf("encrypt a sample: %w", err)
		}
		r.sealed, s.Payload = out, out[start:]
		if pieces != nil {
			r.pending.pieces = append(r.pending.pieces, slices.Clone(pieces))
		}
	}
	return nil
}

// decrypted is a segment's media in the clear. It may alter b.
func (s *segment) decrypted(b []byte) ([]byte, error) {
	switch {
	case s.key == nil:
		return b, nil
	case s.key.method == protect.AES128:
		return s.key.Open(b, s.key.ivOf(s.number))
	}
	return s.key.OpenSamples(b, s.init.bytes)
}

// partsKept is how far from the live edge, in target durations, the files of
// encrypted parts are given up: parts are listed for partTargets, and can be
// fetched for three more (RFC 8216bis §6.2.2).
const partsKept = partTargets + 3

// dropParts gives up the files of parts that nobody may ask for any more.
func (r *rendition) dropParts(w *window) {
	var behind time.Duration
	for i := len(w.held) - 1; i >= 0; i-- {
		if s := w.held[i]; behind > partsKept*r.p.target && s.partsFile != nil {
			s.partsFile.Remove() // what reads it goes on
		}
		if behind += w.held[i].duration; behind > 2*partsKept*r.p.target {
			return
		}
	}
}
