package files_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/millrace/millrace/jsapi/program/npmtest"
)

// The clock of regular expressions stops by itself some time after the last one.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/dlclark/regexp2/v2.runClock"))
}

func TestFilesAreNodes(t *testing.T) { npmtest.Same(t, npmtest.Script{Path: "testdata/files.js"}) }

func TestLinesAreNodes(t *testing.T) { npmtest.Same(t, npmtest.Script{Path: "testdata/readline.js"}) }

// A descriptor that a script leaves open is closed with its loop.
func TestNoDescriptorStays(t *testing.T) {
	before := npmtest.Descriptors(t)
	npmtest.Millrace(t, npmtest.Script{Path: "testdata/left-open.js"})
	npmtest.Settled(t, "descriptors", func() bool { return npmtest.Descriptors(t) <= before })
}
