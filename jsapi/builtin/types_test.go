package builtin_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/millrace/millrace/jsapi/builtin"
)

// The declarations are sound TypeScript, the examples and the scripts of the
// documents keep to them, and they declare what the module exports. What members there are at run time is
// looked at where media and an app run: in internal/e2e.
func TestTypes(t *testing.T) {
	var examples []string
	for _, pattern := range []string{"../../examples/*.[jt]s", "../../examples/*/*.[jt]s"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		examples = append(examples, files...)
	}
	if len(examples) < 12 {
		t.Fatalf("there are %d examples", len(examples))
	}
	examples = append(examples, ofDocuments(t)...)
	cmd := exec.CommandContext(t.Context(), "node", append([]string{"types/members.mjs"}, examples...)...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr(err))
	}
	var declared struct {
		Exports []string `json:"exports"`
	}
	if err := json.Unmarshal(out, &declared); err != nil || len(declared.Exports) < 20 {
		t.Fatalf("%v: %s", err, out)
	}
	if builtin.Types == "" {
		t.Error("the declarations are not in the program")
	}
}

var block = regexp.MustCompile("(?s)```js\n(.*?)```")

// ofDocuments are the scripts in docs/javascript.md, as files.
func ofDocuments(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../docs/javascript.md")
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for i, m := range block.FindAllSubmatch(text, -1) {
		file := filepath.Join(t.TempDir(), fmt.Sprintf("javascript-%d.js", i))
		if err := os.WriteFile(file, m[1], 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	if len(files) < 3 {
		t.Fatalf("docs/javascript.md has %d scripts", len(files))
	}
	return files
}

func stderr(err error) []byte {
	if e, ok := err.(*exec.ExitError); ok { //nolint:errorlint // exec's own, unwrapped
		return e.Stderr
	}
	return nil
}
