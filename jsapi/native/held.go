package native

import (
	"reflect"

	"github.com/dop251/goja"
)

// The types that goja makes of the language's own objects, by copying all that
// they reach.
var (
	ofObjects = reflect.TypeFor[map[string]any]()
	ofArrays  = reflect.TypeFor[[]any]() // and of Sets
	ofMaps    = reflect.TypeFor[[][2]any]()
)

// Held is the Go value behind a script's value: that of a primitive, the
// memory of a buffer, what an object of ours was made of. It is nil for plain
// objects, arrays, Maps and Sets. Where goja's Export copies those, a Map that
// holds itself overflows the stack of the process.
func Held(v goja.Value) any {
	if v == nil {
		return nil
	}
	switch v.ExportType() {
	case ofObjects, ofArrays, ofMaps, nil:
		return nil
	default:
		return v.Export()
	}
}

// IsArray tells whether a value is an array of the language's.
func IsArray(v goja.Value) bool {
	o, ok := v.(*goja.Object)
	return ok && o.ClassName() == "Array"
}
