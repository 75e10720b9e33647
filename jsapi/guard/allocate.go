package guard

import (
	"fmt"
	"strings"

	"github.com/dop251/goja"

	"github.com/millrace/millrace/jsapi/loop"
)

const (
	valueSize = 16   // bytes of an element of an array
	maxSpread = 1e5  // arguments of one call, as in V8 with its default stack
	maxJSON   = 5000 // levels of nesting
)

// walkers are the functions of Array.prototype that walk as many elements as
// their receiver claims to have, without a chance to interrupt them.
var walkers = []string{
	"concat", "copyWithin", "every", "filter", "find", "findIndex", "findLast", "findLastIndex", "flat",
	"flatMap", "forEach", "includes", "indexOf", "lastIndexOf", "map", "reduce", "reduceRight", "reverse",
	"shift", "slice", "some", "sort", "splice", "toLocaleString", "toReversed", "toSorted", "toSpliced", "unshift",
}

// boundAllocations makes the functions that allocate what their arguments say
// ask first.
func (g *Guard) boundAllocations() error {
	rt := g.loop.Runtime()
	before := func(check func(goja.FunctionCall) goja.FunctionCall) func(call) call {
		return func(next call) call {
			return func(c goja.FunctionCall) goja.Value { return next(check(c)) }
		}
	}
	type guarded struct {
		path  []string
		check func(goja.FunctionCall) goja.FunctionCall
	}
	all := []guarded{
		{[]string{"String", "prototype", "repeat"}, g.repeat},
		{[]string{"String", "prototype", "padStart"}, g.pad},
		{[]string{"String", "prototype", "padEnd"}, g.pad},
		{[]string{"String", "prototype", "replaceAll"}, g.replaceAll},
		{[]string{"Array", "prototype", "join"}, g.join},
		{[]string{"Array", "prototype", "fill"}, g.fill},
		{[]string{"Array", "from"}, g.from},
		{[]string{"Function", "prototype", "apply"}, g.listAt(1)},
		{[]string{"Reflect", "apply"}, g.listAt(2)},
		{[]string{"Reflect", "construct"}, g.listAt(1)},
		{[]string{"JSON", "parse"}, g.parse},
	}
	for _, name := range walkers {
		all = append(all, guarded{[]string{"Array", "prototype", name}, g.walk})
	}
	for _, f := range all {
		o, err := method(rt, f.path...)
		if err != nil {
			return err
		}
		if err := wrap(o, before(f.check)); err != nil {
			return fmt.Errorf("%v: %w", f.path, err)
		}
	}
	for name, size := range map[string]int64{
		"ArrayBuffer": 1, "Int8Array": 1, "Uint8Array": 1, "Uint8ClampedArray": 1, "Int16Array": 2, "Uint16Array": 2,
		"Int32Array": 4, "Uint32Array": 4, "Float32Array": 4, "Float64Array": 8, "BigInt64Array": 8, "BigUint64Array": 8,
	} {
		o, err := method(rt, name)
		if err != nil {
			return err
		}
		err = wrapConstruct(o, func(next construct) construct {
			return func(args []goja.Value, newTarget *goja.Object) *goja.Object {
				if len(args) > 0 {
					args = g.buffer(args, size)
				}
				return next(args, newTarget)
			}
		})
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// refuse throws a RangeError.
func (g *Guard) refuse(code, format string, args ...any) {
	g.loop.Throw(&loop.Error{Name: "RangeError", Code: code, Message: fmt.Sprintf(format, args...)})
}

// string bounds the length of a string.
func (g *Guard) string(n float64) {
	if most := g.o.Limits.Alloc; most > 0 && n > float64(most) {
		g.refuse("ERR_STRING_TOO_LONG", "Invalid string length: %.0f characters, and the most is %d", n, most)
	}
}

// array bounds the elements that are made or walked.
func (g *Guard) array(n float64, made bool) {
	most := float64(g.o.Limits.Length)
	if made && g.o.Limits.Alloc > 0 {
		most = min(most, float64(g.o.Limits.Alloc/valueSize))
	}
	if most > 0 && n > most {
		g.refuse("ERR_OUT_OF_RANGE", "Invalid array length: %.0f elements, and the most is %.0f", n, most)
	}
}

// text is a receiver as a string, so that its conversion is not done twice.
func text(v goja.Value) (goja.Value, int) {
	switch s := v.(type) {
	case goja.String:
		return s, s.Length()
	case *goja.Object:
		if s, ok := s.ToString().(goja.String); ok {
			return s, s.Length()
		}
	}
	return v, 32 // a number or the like, or what the function itself will refuse
}

// number is an argument as a number, so that its conversion is not done twice.
func number(c goja.FunctionCall, i int) (goja.FunctionCall, float64) {
	n := c.Argument(i).ToNumber()
	args := make([]goja.Value, max(len(c.Arguments), i+1))
	copy(args, c.Arguments)
	args[i] = n
	c.Arguments = args
	return c, n.ToFloat()
}

// length is what an array or the like says it has; 0 for anything else.
func length(v goja.Value) float64 {
	if o, ok := v.(*goja.Object); ok {
		if n := o.Get("length"); n != nil {
			return n.ToFloat()
		}
	}
	return 0
}

func (g *Guard) repeat(c goja.FunctionCall) goja.FunctionCall {
	var n int
	c.This, n = text(c.This)
	c, times := number(c, 0)
	g.string(float64(n) * times)
	return c
}

func (g *Guard) pad(c goja.FunctionCall) goja.FunctionCall {
	c.This, _ = text(c.This)
	c, n := number(c, 0)
	g.string(n)
	return c
}

// replaceAll looks at the worst case first, and counts only where that is too
// long. A regular expression's matches are not known beforehand.
func (g *Guard) replaceAll(c goja.FunctionCall) goja.FunctionCall {
	s, ok := c.This.(goja.String)
	pattern, plain := c.Argument(0).(goja.String)
	by, simple := c.Argument(1).(goja.String)
	if !ok || !plain || !simple || float64(s.Length()+1)*float64(by.Length()) <= float64(g.o.Limits.Alloc) {
		return c
	}
	g.string(float64(strings.Count(s.String(), pattern.String())) * float64(by.Length()))
	return c
}

func (g *Guard) join(c goja.FunctionCall) goja.FunctionCall {
	n := length(c.This)
	g.array(n, false)
	separator := 1
	if s, ok := c.Argument(0).(goja.String); ok {
		separator = s.Length()
	}
	g.string(n * float64(separator))
	return c
}

func (g *Guard) fill(c goja.FunctionCall) goja.FunctionCall {
	g.array(length(c.This), true)
	return c
}

func (g *Guard) walk(c goja.FunctionCall) goja.FunctionCall {
	g.array(length(c.This), false)
	return c
}

func (g *Guard) from(c goja.FunctionCall) goja.FunctionCall {
	if o, ok := c.Argument(0).(*goja.Object); ok && o.GetSymbol(goja.SymIterator) == nil {
		g.array(length(o), true)
	}
	return c
}

// listAt bounds a list of arguments.
func (g *Guard) listAt(i int) func(goja.FunctionCall) goja.FunctionCall {
	return func(c goja.FunctionCall) goja.FunctionCall {
		if n := length(c.Argument(i)); n > maxSpread && g.o.Limits.Length > 0 {
			g.refuse("ERR_OUT_OF_RANGE", "A call with %.0f arguments, and the most is %d", n, int(maxSpread))
		}
		return c
	}
}

// buffer bounds what a constructor of buffers is asked for: a number of
// elements, an array or the like.
func (g *Guard) buffer(args []goja.Value, size int64) []goja.Value {
	var n float64
	switch v := args[0].(type) {
	case *goja.Object:
		if v.ClassName() == "ArrayBuffer" || v.GetSymbol(goja.SymIterator) != nil {
			return args
		}
		n = length(v)
	default:
		n = v.ToFloat()
	}
	if most := g.o.Limits.Alloc; most > 0 && n*float64(size) > float64(most) {
		g.refuse("ERR_OUT_OF_RANGE", "Array buffer allocation failed: %.0f bytes, and the most is %d", n*float64(size), most)
	}
	return args
}

// parse refuses JSON so deeply nested that the engine's recursion would not
// come back.
func (g *Guard) parse(c goja.FunctionCall) goja.FunctionCall {
	s, ok := c.Argument(0).(goja.String)
	if !ok || s.Length() <= maxJSON {
		return c
	}
	depth, inString, escaped := 0, false, false
	source := s.String()
	for i := range len(source) {
		switch b := source[i]; {
		case escaped:
			escaped = false
		case inString:
			escaped, inString = b == '\\', b != '"'
		case b == '"':
			inString = true
		case b == '[', b == '{':
			if depth++; depth > maxJSON {
				g.refuse("ERR_OUT_OF_RANGE", "JSON nested more than %d levels deep", maxJSON)
			}
		case b == ']', b == '}':
			depth--
		}
	}
	return c
}
