package guard

import (
	"fmt"
	"reflect"
	"unsafe"

	"github.com/dop251/goja"
)

type (
	call      = func(goja.FunctionCall) goja.Value
	construct = func(args []goja.Value, newTarget *goja.Object) *goja.Object
)

// wrap puts something before what a built-in function does, in place: the
// function stays the same object with the same properties, and the engine's
// own short cuts, which ask whether a function is the original one, still hold.
// The engine offers no such thing, so this reaches into its function objects;
// a test tells when they change.
func wrap(o *goja.Object, with func(call) call) error {
	f, err := part[call](o, "f")
	if err != nil {
		return err
	}
	*f = with(*f)
	return nil
}

// wrapConstruct does for `new` what wrap does for a call.
func wrapConstruct(o *goja.Object, with func(construct) construct) error {
	f, err := part[construct](o, "construct")
	if err != nil {
		return err
	}
	*f = with(*f)
	return nil
}

func part[T any](o *goja.Object, name string) (*T, error) {
	o.Get("name") // built-ins are made when they are first looked at
	self := reflect.ValueOf(o).Elem().FieldByName("self")
	if !self.IsValid() || self.Kind() != reflect.Interface {
		return nil, fmt.Errorf("this engine's objects are not as they were: %s", reflect.TypeOf(*o))
	}
	function := self.Elem()
	if function.Kind() != reflect.Pointer || function.Elem().Kind() != reflect.Struct {
		return nil, fmt.Errorf("%s is no function of the engine's", self.Elem().Type())
	}
	field := function.Elem().FieldByName(name)
	if !field.IsValid() || field.Type() != reflect.TypeFor[T]() {
		return nil, fmt.Errorf("%s has no %s %s", function.Type(), name, reflect.TypeFor[T]())
	}
	return (*T)(unsafe.Pointer(field.UnsafeAddr())), nil
}

// method is a function by its way from the global object.
func method(rt *goja.Runtime, path ...string) (*goja.Object, error) {
	var v goja.Value = rt.GlobalObject()
	for i, name := range path {
		o, ok := v.(*goja.Object)
		if !ok {
			return nil, fmt.Errorf("the engine has no %v", path[:i])
		}
		v = o.Get(name)
	}
	o, ok := v.(*goja.Object)
	if !ok {
		return nil, fmt.Errorf("the engine has no %v", path)
	}
	return o, nil
}
