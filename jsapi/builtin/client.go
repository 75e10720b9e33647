package builtin

import (
	"path"
	"strings"
)

// SocketClient is a file of the npm package socket.io-client for browsers, by
// its name: socket.io.js, socket.io.min.js or socket.io.esm.min.js.
func SocketClient(name string) ([]byte, bool) {
	if path.Base(name) != name || !strings.HasPrefix(name, "socket.io") {
		return nil, false
	}
	b, err := dist.ReadFile("dist/" + name)
	return b, err == nil
}
