package loop

import (
	"slices"

	"github.com/dop251/goja"
)

func (l *Loop) track(p *goja.Promise, op goja.PromiseRejectionOperation) {
	switch op {
	case goja.PromiseRejectionReject:
		l.rejected = append(l.rejected, p)
	case goja.PromiseRejectionHandle:
		if i := slices.Index(l.rejected, p); i >= 0 {
			l.rejected = slices.Delete(l.rejected, i, i+1)
			return
		}
		// Unhandled was told of it before.
		if object, ok := l.rt.ToValue(p).(*goja.Object); ok && l.Handled != nil {
			l.handled = append(l.handled, object)
		}
	}
}

// UnhandledRejection is a promise that was rejected and nobody looked.
type UnhandledRejection struct{ Reason goja.Value }

// Error shows the reason, with its stack where it has one.
func (e *UnhandledRejection) Error() string {
	return "unhandled rejection: " + Describe(e.Reason)
}

// Describe is a thrown value as text: its stack where it has one.
func Describe(v goja.Value) string {
	if o, ok := v.(*goja.Object); ok {
		if stack := o.Get("stack"); stack != nil && !goja.IsUndefined(stack) {
			return stack.String()
		}
	}
	if v == nil {
		return "undefined"
	}
	return v.String()
}

func (l *Loop) reportRejections() {
	for len(l.handled) > 0 && l.err == nil && !l.ended {
		promise := l.handled[0]
		l.handled = l.handled[1:]
		l.caughtOuter(l.rt.ToValue(func(goja.FunctionCall) goja.Value {
			l.Handled(promise)
			l.drainTicks()
			return goja.Undefined()
		}))
	}
	for len(l.rejected) > 0 && l.err == nil && !l.ended {
		all := l.rejected
		l.rejected = nil
		for _, p := range all {
			reason := p.Result()
			object, _ := l.rt.ToValue(p).(*goja.Object)
			handled := false
			if l.Unhandled != nil {
				l.caughtOuter(l.rt.ToValue(func(goja.FunctionCall) goja.Value {
					handled = l.Unhandled(reason, object)
					l.drainTicks()
					return goja.Undefined()
				}))
			}
			if !handled {
				l.fail(&UnhandledRejection{Reason: reason})
			}
		}
	}
}
