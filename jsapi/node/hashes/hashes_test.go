package hashes_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/millrace/millrace/jsapi/program/npmtest"
)

// The clock of regular expressions stops by itself some time after the last one.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/dlclark/regexp2/v2.runClock"))
}

func TestCryptoIsNodes(t *testing.T) { npmtest.Same(t, npmtest.Script{Path: "testdata/crypto.js"}) }
