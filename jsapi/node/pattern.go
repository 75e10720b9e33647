package node

import (
	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
	"github.com/millrace/millrace/jsapi/pattern"
)

func patternModule(l *loop.Loop) goja.Value {
	o := native.New(l)
	// A script makes the same few expressions over and over.
	const most = 256
	known := make(map[[2]string][]any)
	o.Func("rewrite", func(a native.Args) (any, error) {
		key := [2]string{a.String(0), a.String(1)}
		if pair, ok := known[key]; ok {
			return pair, nil
		}
		source, flags, err := pattern.Rewrite(key[0], key[1])
		if err != nil {
			return nil, &loop.Error{Name: "SyntaxError", Message: "Invalid regular expression: " + err.Error()}
		}
		if len(known) == most {
			clear(known)
		}
		known[key] = []any{source, flags}
		return known[key], nil
	})
	return o.Object
}
