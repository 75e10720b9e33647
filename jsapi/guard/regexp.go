package guard

import (
	"fmt"
	"time"

	"github.com/dlclark/regexp2/v2"
	"github.com/dop251/goja"
)

// MatchTime is how long one match of a regular expression may take.
const MatchTime = time.Second

// The engine's matcher knows a time limit, which an expression takes over when
// it is compiled: those of a script's text long before there is a runtime.
func init() { regexp2.DefaultMatchTimeout = MatchTime }

// boundRegexps makes a match that takes too long an error. The engine makes
// "no match" of it; so what found nothing and took as long as the limit has
// met it, or searched in vain for as long.
func (g *Guard) boundRegexps() error {
	rt := g.loop.Runtime()
	prototype, err := method(rt, "RegExp", "prototype")
	if err != nil {
		return err
	}
	functions := map[string]goja.Value{
		"exec": prototype.Get("exec"), "test": prototype.Get("test"),
		"match": prototype.GetSymbol(goja.SymMatch), "replace": prototype.GetSymbol(goja.SymReplace),
		"search": prototype.GetSymbol(goja.SymSearch), "split": prototype.GetSymbol(goja.SymSplit),
	}
	for name, v := range functions {
		o, ok := v.(*goja.Object)
		if !ok {
			return fmt.Errorf("regular expressions have no %s", name)
		}
		err := wrap(o, func(next call) call {
			return func(c goja.FunctionCall) goja.Value {
				began := time.Now()
				found := next(c)
				if time.Since(began) >= MatchTime && vain(found, c) {
					g.refuse("ERR_REGEXP_TIMEOUT",
						"A regular expression took longer than %v and was stopped: %s", MatchTime, short(c.This.String()))
				}
				return found
			}
		})
		if err != nil {
			return fmt.Errorf("RegExp.prototype.%s: %w", name, err)
		}
	}
	return nil
}

// vain tells whether a result says that there was no match.
func vain(found goja.Value, c goja.FunctionCall) bool {
	switch v := found.(type) {
	case nil:
		return true
	case goja.String: // of replace: as it was
		return v.SameAs(c.Argument(0).ToString())
	case *goja.Object: // of split: one piece
		return length(v) == 1 && v.ClassName() == "Array" && v.Get("index") == nil
	}
	return goja.IsNull(found) || !found.ToBoolean() || found.ToFloat() == -1
}

func short(s string) string {
	if len(s) > 80 {
		return s[:77] + "..."
	}
	return s
}
