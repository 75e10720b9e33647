package program_test

import (
	"path/filepath"
	"testing"

	"github.com/millrace/millrace/jsapi/program/npmtest"
)

// packages are those of npm that the programs in testdata/same use.
var packages = []string{
	"through2@4.0.2", "split2@4.2.0", "ndjson@2.0.0", "csv-parse@6.1.0", "eventemitter3@5.0.1",
	"express@5.1.0", "express4@npm:express@4.21.2", "koa@3.0.3",
}

// Programs that print the same in Node 20 and here, npm packages among them
// that nobody changed.
func TestSameAsNode(t *testing.T) {
	dir := npmtest.Install(t, packages...)
	programs, err := filepath.Glob("testdata/same/*.[cm]js")
	if err != nil || len(programs) < 10 {
		t.Fatalf("found %d programs, %v", len(programs), err)
	}
	for _, path := range programs {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			npmtest.Same(t, npmtest.Script{Path: path, Packages: dir})
		})
	}
}
