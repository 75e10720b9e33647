package media_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/dop251/goja"
	"go.uber.org/goleak"

	"github.com/millrace/millrace/jsapi/compile"
	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/media"
	"github.com/millrace/millrace/jsapi/node"
	"github.com/millrace/millrace/jsapi/node/files"
	"github.com/millrace/millrace/jsapi/program"
)

// The clock of regular expressions stops by itself some time after the last one.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/dlclark/regexp2/v2.runClock"))
}

// run runs a script with media around it. Its default export, where it has
// one, is called with the source. What it wrote is returned.
func run(t testing.TB, o media.Options, script string) (string, error) {
	t.Helper()
	out, _, err := runIn(t, t.TempDir(), o, script)
	return out, err
}

func runIn(t testing.TB, dir string, o media.Options, script string) (string, *media.Module, error) {
	t.Helper()
	path := filepath.Join(dir, "script.mjs")
	if err := os.WriteFile(path, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	compiled, err := compile.File(path, compile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	var m *media.Module
	host := node.Host{Exec: "millrace", Script: path, Cwd: dir, Stdout: &out, Stderr: &out}
	p, err := program.New(program.Options{Host: host, Extra: func(l *loop.Loop) error {
		files.Provide(l, files.Options{Dir: func() string { return dir }})
		m = media.Provide(l, o)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	err = p.Run(ctx, compiled, func() error {
		main, ok := goja.AssertFunction(p.Exports.Get("default"))
		if !ok {
			return nil
		}
		source, err := m.Source()
		if err != nil {
			return err
		}
		_, err = main(goja.Undefined(), source)
		return err
	})
	m.Wait()
	return out.String(), m, err
}
