package compress_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/millrace/millrace/jsapi/program/npmtest"
)

// The clock of regular expressions stops by itself some time after the last one.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/dlclark/regexp2/v2.runClock"))
}

func TestCompressionIsNodes(t *testing.T) { npmtest.Same(t, npmtest.Script{Path: "testdata/zlib.js"}) }

func TestABombIsReadPieceByPiece(t *testing.T) {
	got := npmtest.Millrace(t, npmtest.Script{Path: "testdata/bomb.js"})
	if got != "enough\nclosed\n" {
		t.Errorf("printed %q", got)
	}
}
