package e2e

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/millrace/millrace/testmedia/tools"
)

// declared is a file with what millrace.d.ts declares.
func declared(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "node", filepath.Join("..", "..", "jsapi", "builtin", "types", "members.mjs")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	file := filepath.Join(t.TempDir(), "declared.json")
	writeFile(t, file, string(out))
	return file
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestTypesOfMedia looks up what is declared of media in a program.
func TestTypesOfMedia(t *testing.T) {
	t.Parallel()
	clip, _ := tools.Clip(t, "h264")
	cmd := exec.CommandContext(t.Context(), binary, "run", absolute(t, "testdata/types.mjs"), declared(t), clip)
	out, err := cmd.Output()
	var missing []string
	if err != nil || json.Unmarshal(out, &missing) != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, name := range missing {
		t.Errorf("%s is declared, and not there", name)
	}
}

// TestTypesOfApp looks up what is declared of an app and of a pipeline
// script's context.
func TestTypesOfApp(t *testing.T) {
	t.Parallel()
	s := start(t, "127.0.0.1", "serve", fmt.Sprintf("app: %q\nenv: [DECLARED]\nstreams: [{path: cam, pipeline: %q}]",
		absolute(t, "testdata/types-app.mjs"), absolute(t, "testdata/types-pipeline.mjs")), "env", "DECLARED="+declared(t))
	s.said("the app runs")
	clip, _ := tools.Clip(t, "h264")
	s.publish("cam", clip)
	s.live("cam", 1)
	for _, path := range []string{"/app/socket", "/socket.io/?EIO=4&transport=websocket"} {
		c, _, err := websocket.Dial(t.Context(), "ws://"+s.http+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		if path != "/app/socket" {
			if err := c.Write(t.Context(), websocket.MessageText, []byte("40")); err != nil { // Socket.IO's connect
				t.Fatal(err)
			}
		}
	}
	wanted := []string{"Session", "SessionTrack", "Stream", "Context", "WebSocketClient", "Socket", "Request", "Response"}
	var found struct{ Missing, Seen []string }
	s.eventually(20*time.Second, "each of them came by", func() error {
		b, err := s.get("/app/missing")
		if err == nil {
			err = json.Unmarshal(b, &found)
		}
		if err == nil && slices.ContainsFunc(wanted, func(name string) bool { return !slices.Contains(found.Seen, name) }) {
			err = fmt.Errorf("seen are %q", found.Seen)
		}
		return err
	})
	for _, name := range found.Missing {
		t.Errorf("%s is declared, and not there", name)
	}
}
