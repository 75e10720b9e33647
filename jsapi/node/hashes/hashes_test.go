package hashes_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/millrace/millrace/jsapi/program/npmtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestCryptoIsNodes(t *testing.T) { npmtest.Same(t, npmtest.Script{Path: "testdata/crypto.js"}) }
