package machine_test

import (
	"testing"

	"github.com/millrace/millrace/jsapi/program/npmtest"
)

// What a machine says of itself is not written down: Node is asked.
func TestTheMachineIsNodes(t *testing.T) {
	s := npmtest.Script{Path: "testdata/os.js"}
	got := npmtest.Millrace(t, s)
	if want, ok := npmtest.Node(t, s); ok && got != want {
		t.Errorf("os says\n%s\nand Node\n%s", got, want)
	}
}
