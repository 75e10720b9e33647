package app

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"path"
	"time"

	"github.com/millrace/millrace/jsapi/builtin"
)

// withClient serves browsers the files of socket.io-client beside Socket.IO's
// own path, as its server for Node does, and leaves all else to next.
func withClient(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := path.Base(r.URL.Path)
		file, ok := builtin.SocketClient(name)
		if !ok || r.Method != http.MethodGet && r.Method != http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		sum := sha256.Sum256(file)
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		w.Header().Set("Cache-Control", "public, max-age=0")
		w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sum[:8]))
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(file))
	})
}
