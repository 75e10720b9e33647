package node

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
)

// call is one line of a stack.
type call struct {
	name         string // of the function; empty where it has none
	file         string // empty where it is native
	line, column int
}

func (c call) String() string {
	place := "native"
	if c.file != "" {
		place = fmt.Sprintf("%s:%d:%d", c.file, c.line, c.column)
	}
	if c.name == "" {
		return place
	}
	return c.name + " (" + place + ")"
}

// deepest is how many calls are looked at for one stack.
const deepest = 256

// calls are the calls under way, the innermost first, without skip of them and
// without those of the machinery.
func calls(l *loop.Loop, skip, most int, below string) []call {
	frames := l.Runtime().CaptureCallStack(deepest, nil)
	frames = frames[min(skip, len(frames)):]
	if below != "" {
		for i := range frames {
			if frames[i].FuncName() == below {
				frames = frames[i+1:]
				break
			}
		}
	}
	var all []call
	for i := range frames {
		if len(all) >= most {
			break
		}
		if c, ok := shown(&frames[i]); ok {
			all = append(all, c)
		}
	}
	return all
}

func shown(f *goja.StackFrame) (call, bool) {
	name, at := f.FuncName(), f.Position()
	if name == "<anonymous>" || name == "<native>" {
		name = ""
	}
	// What esbuild wraps modules in, what is written in Go, and the loop.
	if strings.HasPrefix(name, "__") || strings.Contains(name, "/") && at.Filename == "" || strings.Contains(at.Filename, "node:internal/") {
		return call{}, false
	}
	file := at.Filename
	if plain, err := url.PathUnescape(file); err == nil {
		file = plain
	}
	if name != "" && strings.HasSuffix(file, "/"+name) { // the file itself: esbuild names it so
		name = "Object.<anonymous>"
	}
	return call{name, file, at.Line, at.Column}, true
}

func stackModule(l *loop.Loop) goja.Value {
	o := native.New(l)
	// Both take how many calls to leave out, how many to give at most, and
	// the name of the function below which the stack begins.
	o.Func("frames", func(a native.Args) (any, error) {
		all := calls(l, 1+int(a.Int(0)), int(a.Int(1)), a.String(2))
		out := make([]any, len(all))
		for i, c := range all {
			out[i] = []any{c.name, c.file, c.line, c.column}
		}
		return out, nil
	})
	o.Func("trace", func(a native.Args) (any, error) {
		var text strings.Builder
		for _, c := range calls(l, 1+int(a.Int(0)), int(a.Int(1)), a.String(2)) {
			text.WriteString("\n    at ")
			text.WriteString(c.String())
		}
		return text.String(), nil
	})
	return o.Object
}
