package web

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/millrace/millrace/internal/access"
)

const (
	ticketPrefix = "/t/"

	// ticketLife is how long a viewer may go on without asking for the
	// multivariant playlist again.
	ticketLife = 24 * time.Hour
	// ticketSize is of a ticket before base64: number, expiry, the rule that
	// opened the stream, signature.
	ticketSize = 8 + 8 + 4 + 16
)

// tickets are view tokens of this server's own making: a viewer gets one with
// the multivariant playlist, in every URL that it lists, and needs nothing
// else from then on. Each is signed and for one stream; the key lives as long
// as the server runs.
type tickets struct{ key [32]byte }

// ticket is what one says.
type ticket struct {
	id      uint64 // tells viewers apart
	expires int64  // Unix seconds
	rule    [4]byte
}

func newTickets() *tickets {
	t := new(tickets)
	_, _ = rand.Read(t.key[:]) // never fails
	return t
}

// issue makes a ticket for a stream. rule is the key of the view rule that
// opened it, empty where none guards it.
func (t *tickets) issue(path, rule string, now time.Time) string {
	var b [ticketSize]byte
	_, _ = rand.Read(b[:8]) // never fails
	binary.BigEndian.PutUint64(b[8:], uint64(now.Add(ticketLife).Unix()))
	mark := t.mark(rule)
	copy(b[16:], mark[:])
	copy(b[20:], t.sign(path, b[:20]))
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// open reads a ticket for a stream; false where it is none, is for another
// one, or is over.
func (t *tickets) open(text, path string, now time.Time) (ticket, bool) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) != ticketSize || !hmac.Equal(b[20:], t.sign(path, b[:20])) {
		return ticket{}, false
	}
	k := ticket{id: binary.BigEndian.Uint64(b), expires: int64(binary.BigEndian.Uint64(b[8:])), rule: [4]byte(b[16:20])}
	return k, now.Unix() < k.expires
}

func (t *tickets) sign(path string, b []byte) []byte {
	h := hmac.New(sha256.New, t.key[:])
	_, _ = h.Write([]byte("ticket\x00" + path + "\x00")) // never fails
	_, _ = h.Write(b)
	return h.Sum(nil)[:16]
}

// mark is a view rule's key without the key: a ticket is worth nothing once
// the rule is gone.
func (t *tickets) mark(rule string) (m [4]byte) {
	h := hmac.New(sha256.New, t.key[:])
	_, _ = h.Write([]byte("rule\x00" + rule)) // never fails
	copy(m[:], h.Sum(nil))
	return m
}

// holds reports whether the rules that hold now still open the stream to whom
// a ticket was given.
func (s *Server) holds(k ticket, path string) bool {
	view := s.rules.Load().View
	if !view.Cover(path) {
		return true
	}
	same := func(key string) bool { return s.tickets.mark(key) == k.rule }
	return view.Decide(path, same) == access.Allowed
}

// cutTicket takes /t/{ticket} off a path.
func cutTicket(path string) (text, rest string) {
	after, ok := strings.CutPrefix(path, ticketPrefix)
	if !ok {
		return "", path
	}
	text, rest, _ = strings.Cut(after, "/")
	return text, "/" + rest
}

// recorder keeps an answer, to be changed before it is sent.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *recorder) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

// rewritten serves a multivariant playlist, or an MPD, whose URLs are made to
// carry a ticket where the viewer needs one, and an MPD with the URL of its
// licenses. ticketText is the ticket that the viewer came with.
func (s *Server) rewritten(w http.ResponseWriter, r *http.Request, e *entrance, seen base, ticketText string) {
	play := &e.play
	inner := r.Clone(r.Context())
	inner.Method = http.MethodGet
	for _, name := range []string{"Accept-Encoding", "If-None-Match", "If-Modified-Since", "Range"} {
		inner.Header.Del(name)
	}
	answer := &recorder{header: make(http.Header)}
	play.Handler.ServeHTTP(answer, inner)
	body := answer.body.Bytes()
	licensed := play.Licensed && inner.URL.Path == manifestName
	if e.ticket {
		ticketText = s.tickets.issue(play.Path, e.rule, time.Now())
	}
	if answer.status == http.StatusOK {
		at := ""
		if ticketText != "" {
			at = ticketPrefix + ticketText
		}
		switch mpd := inner.URL.Path == manifestName; {
		case mpd && e.ticket:
			body = rebaseManifest(body, at+dashPrefix+play.Path+"/")
		case e.ticket:
			body = rebase(body, at+play.base())
		}
		if licensed {
			body = nameLicenses(body, seen.url(at+dashPrefix+play.Path+"/"+licenseName))
		}
	}
	h := w.Header()
	for name, values := range answer.header {
		switch name {
		case "Content-Length", "Etag", "Last-Modified":
		default:
			h[name] = values
		}
	}
	switch {
	case e.ticket:
		h.Set("Cache-Control", "no-store") // a ticket is for one viewer
	case licensed: // where licenses are is told by what the client calls this server
		h.Set("Cache-Control", privateCache(h.Get("Cache-Control")))
	}
	w.WriteHeader(max(answer.status, http.StatusOK))
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client may be gone
	}
}

// rebase puts base before every relative URI of a playlist.
func rebase(playlist []byte, base string) []byte {
	const attribute = `URI="`
	var out bytes.Buffer
	for line := range strings.Lines(string(playlist)) {
		text := strings.TrimRight(line, "\r\n")
		switch i := strings.Index(text, attribute); {
		case text == "":
		case !strings.HasPrefix(text, "#") && relative(text):
			out.WriteString(base)
		case strings.HasPrefix(text, "#EXT") && i >= 0 && relative(text[i+len(attribute):]):
			out.WriteString(line[:i+len(attribute)])
			out.WriteString(base)
			line = line[i+len(attribute):]
		}
		out.WriteString(line)
	}
	return out.Bytes()
}

// rebaseManifest has an MPD's relative URLs begin with base, and players come
// back there for the next one.
func rebaseManifest(mpd []byte, base string) []byte {
	_, after, ok := bytes.Cut(mpd, []byte("<MPD "))
	end := bytes.IndexByte(after, '>')
	if !ok || end < 0 {
		return mpd
	}
	at := len(mpd) - len(after) + end + 1
	insert := "\n <BaseURL>" + base + "</BaseURL>\n <Location>" + base + manifestName + "</Location>"
	return slices.Concat(mpd[:at], []byte(insert), mpd[at:])
}

func relative(uri string) bool { return !strings.HasPrefix(uri, "/") && !strings.Contains(uri, "://") }
