package web_test

import (
	"testing"

	"github.com/millrace/millrace/jsapi/program/npmtest"
)

// packages is what these tests run unmodified.
func packages(t *testing.T) string {
	t.Helper()
	return npmtest.Install(t, "express4@npm:express@4.21.2", "express5@npm:express@5.1.0",
		"koa@2.16.1", "koa-bodyparser@4.4.1", "ws@8.18.0")
}

func TestExpress(t *testing.T) {
	for _, version := range []string{"express4", "express5"} {
		t.Run(version, func(t *testing.T) {
			npmtest.Same(t, npmtest.Script{
				Path: "testdata/express.js", Args: []string{version}, Packages: packages(t), Want: "testdata/" + version + ".want",
			})
		})
	}
}

func TestKoa(t *testing.T) {
	npmtest.Same(t, npmtest.Script{Path: "testdata/koa.js", Packages: packages(t)})
}

// Node 20 has no WebSocket; what the package does, the global one does too.
func TestWebSockets(t *testing.T) {
	for _, client := range []string{"ws", "global"} {
		t.Run(client, func(t *testing.T) {
			npmtest.Same(t, npmtest.Script{Path: "testdata/ws.js", Args: []string{client}, Packages: packages(t)})
		})
	}
}
