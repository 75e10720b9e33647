package guard_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/dop251/goja"
	"go.uber.org/goleak"

	"github.com/millrace/millrace/jsapi/guard"
	"github.com/millrace/millrace/jsapi/loop"
)

func TestMain(m *testing.M) {
	// The matcher's clock, which stops by itself a second after its last use.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/dlclark/regexp2/v2.runClock"))
}

// within is the time in which a script that goes beyond must have ended; on a
// machine with nothing else to do it is half a second.
const within = 10 * time.Second

func tight() guard.Limits {
	l := guard.Strict()
	l.Turn = 400 * time.Millisecond
	l.Heap, l.Alloc = 96<<20, 8<<20
	l.Depth, l.Timers, l.Output = 500, 1000, 1<<10
	return l
}

// ends runs a script under limits and gives what it ended with.
func ends(t *testing.T, limits guard.Limits, source string) error {
	t.Helper()
	runtime.GC() // of what other tests held
	l := loop.New()
	g, err := guard.Install(l, guard.Options{Limits: limits})
	if err != nil {
		t.Fatal(err)
	}
	out := g.Output(io.Discard)
	for name, f := range map[string]any{
		"setTimeout": func(f goja.Value, ms int) {
			call, _ := goja.AssertFunction(f)
			l.SetTimer(time.Duration(ms)*time.Millisecond, false, func() { l.Invoke(call, goja.Undefined()) })
		},
		"print": func(s string) { _, _ = io.WriteString(out, s) },
		"wait":  func(ms int) { <-time.After(time.Duration(ms) * time.Millisecond) },
	} {
		if err := l.Runtime().Set(name, f); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), 4*within, errors.New("nothing stopped the script"))
	defer cancel()
	began := time.Now()
	err = l.Run(ctx, func() error {
		_, err := l.Runtime().RunScript("bomb.js", source)
		return err
	})
	if took := time.Since(began); took > within {
		t.Errorf("it took %v to end", took)
	}
	return err
}

// Each ends with an error that says what it was and where.
func TestBombs(t *testing.T) {
	for _, c := range []struct {
		name, source string
		want, at     string
	}{
		{"endless loop", "let i = 0;\nfor (;;) i++;", "without coming back to its event loop", "bomb.js:2"},
		{"endless loop behind finally", "try { for (;;); } finally {\nfor (;;); }", "without coming back", "bomb.js:1"},
		{"endless jobs", "let i = 0; async function f() {\nfor (;;) { i++; await null } }\nf();", "without coming back", "at f (bomb.js:"},
		{"endless loop later", "setTimeout(() => {\nfor (let i = 0;;) i++; }, 5)", "without coming back", "bomb.js:2"},
		{"regular expression", "let s = 'a'.repeat(40) + '!';\n/(?=a)^(a+)+$/.test(s)", "regular expression took longer", "bomb.js:2"},
		{"replace", "let s = 'a'.repeat(40) + '!';\ns.replace(/(?=a)^(a+)+$/g, '')", "regular expression took longer", "bomb.js:2"},
		{"split", "let s = 'a'.repeat(40) + '!';\ns.split(/(?=a)^(a+)+$/)", "regular expression took longer", "bomb.js:2"},
		{"match", "let s = 'a'.repeat(40) + '!';\ns.match(/(?=a)^(a+)+$/g)", "regular expression took longer", "bomb.js:2"},
		{"search", "let s = 'a'.repeat(40) + '!';\ns.search(/(?=a)^(a+)+$/)", "regular expression took longer", "bomb.js:2"},
		{"repeat", "\n'x'.repeat(2**40)", "Invalid string length", "bomb.js:2"},
		{"padStart", "\n'x'.padStart(2**40)", "Invalid string length", "bomb.js:2"},
		{"padEnd", "\n'x'.padEnd(2**40, 'ab')", "Invalid string length", "bomb.js:2"},
		{"replaceAll", "let s = 'x'.repeat(1e6);\ns.replaceAll('x', s)", "Invalid string length", "bomb.js:2"},
		{"join", "\nArray(2**32 - 1).join('x')", "Invalid array length", "bomb.js:2"},
		{"join long", "\nArray(1e6).join('x'.repeat(1e6))", "Invalid string length", "bomb.js:2"},
		{"fill", "\nArray(2**31).fill(0)", "Invalid array length", "bomb.js:2"},
		{"from", "\nArray.from({ length: 2**40 })", "Invalid array length", "bomb.js:2"},
		{"walk", "\nArray.prototype.indexOf.call({ length: 2**50 }, 1)", "Invalid array length", "bomb.js:2"},
		{"sparse sort", "\nArray(2**31).sort()", "Invalid array length", "bomb.js:2"},
		{"ArrayBuffer", "\nnew ArrayBuffer(2**40)", "allocation failed", "bomb.js:2"},
		{"Float64Array", "\nnew Float64Array(2**30)", "allocation failed", "bomb.js:2"},
		{"typed array like", "\nnew Uint8Array({ length: 2**40 })", "allocation failed", "bomb.js:2"},
		{"apply", "\nMath.max.apply(null, { length: 1e9 })", "arguments", "bomb.js:2"},
		{"nested JSON", "let s = '['.repeat(1e6);\nJSON.parse(s)", "levels deep", "bomb.js:2"},
		{"doubling", "let s = 'x';\nfor (;;) s += s;", "memory", "bomb.js:2"},
		{"growth", "const all = [];\nfor (;;) all.push({ n: all.length });", "memory", "bomb.js:2"},
		{"map", "const all = new Map();\nfor (let i = 0;; i++) all.set(i, [i]);", "memory", "bomb.js:2"},
		{"recursion", "function f(n) {\nreturn f(n + 1) + 1 }\nf(0)", "call stack", "bomb.js:2"},
		{"recursion through natives", "function f() {\n[1].forEach(f) }\nf()", "call stack", "bomb.js:2"},
		{"timers", "for (;;)\nsetTimeout(() => {}, 1e6)", "1000 timers", "bomb.js:2"},
		{"output", "for (;;)\nprint('x'.repeat(100))", "printed more than 1 KiB", "bomb.js:2"},
		{"rejection", "\nPromise.reject(new Error('lost'))", "lost", "bomb.js:2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			limits := tight()
			if !strings.HasPrefix(c.want, "without") {
				limits.Turn = within // which is the shorter limit otherwise, under the race detector
			}
			err := ends(t, limits, c.source)
			if err == nil {
				t.Fatal("it ended well")
			}
			if got := err.Error() + stackOf(err); !strings.Contains(got, c.want) || !strings.Contains(got, c.at) {
				t.Errorf("got  %s\nwant %q at %s", got, c.want, c.at)
			}
		})
	}
}

// stackOf is where an exception came from, which its message does not say.
func stackOf(err error) string {
	var exception *goja.Exception
	if errors.As(err, &exception) {
		return exception.String()
	}
	return ""
}

// What is refused is an ordinary exception, which a script may handle.
func TestRefusalsCanBeCaught(t *testing.T) {
	limits := tight()
	limits.Turn = within
	err := ends(t, limits, `
		const caught = [];
		for (const f of [() => 'x'.repeat(1e9), () => new Uint8Array(1e9), () => /(?=a)^(a+)+$/.test('a'.repeat(40) + '!')])
			try { f() } catch (e) { caught.push(e.constructor.name + ' ' + e.code) }
		if (caught.join() !== 'RangeError ERR_STRING_TOO_LONG,RangeError ERR_OUT_OF_RANGE,RangeError ERR_REGEXP_TIMEOUT') throw new Error(caught.join())`)
	if err != nil {
		t.Error(err)
	}
}

// What stays in bounds is as without a guard.
func TestNothingElseChanges(t *testing.T) {
	err := ends(t, tight(), `
		function is(got, want) { if (got !== want) throw new Error('got ' + got + ', want ' + want) }
		is('ab'.repeat(3), 'ababab'); is('x'.padStart(3, 'ab'), 'abx'); is(String.prototype.repeat.name, 'repeat');
		is(String.prototype.repeat.length, 1); is(String.prototype.repeat.call(7, 2), '77');
		is([1, 2, 3].join('-'), '1-2-3'); is(Array(3).fill(0).join(), '0,0,0'); is(Array.from({ length: 2 }, (_, i) => i).join(), '0,1');
		is(Array.from('abc').join(''), 'abc'); is(new Uint8Array([1, 2]).length, 2); is(new Uint8Array(new ArrayBuffer(8), 2).length, 6);
		is(new Float64Array(3).byteLength, 24); is(Math.max.apply(null, [1, 3, 2]), 3);
		is(JSON.parse('{"a":[1,{"b":"]]]"}]}').a[1].b, ']]]');
		is('a-b-c'.split(/-/).length, 3); is('abc'.replace(/x/g, 'y'), 'abc'); is('abab'.replaceAll('a', 'c'), 'cbcb');
		is(/b/.exec('abc').index, 1); is('abc'.search(/z/), -1); is('abc'.match(/z/), null);
		is('aXbX'.replace(/X/g, () => '1'), 'a1b1'); is([..."a1b2".matchAll(/\d/g)].length, 2);
		class Sub extends Uint8Array {} is(new Sub(4).length, 4); is(Reflect.construct(Array, [3]).length, 3);
		let thrown; try { String.prototype.repeat.call(undefined, 1) } catch (e) { thrown = e } is(thrown instanceof TypeError, true);
		let order = ''; const that = { toString() { order += 'this '; return 'x' } };
		String.prototype.repeat.call(that, { valueOf() { order += 'count'; return 1 } }); is(order, 'this count');`)
	if err != nil {
		t.Error(err)
	}
}

// Garbage is not counted: a script may go through any amount of it.
func TestGarbageIsNotCounted(t *testing.T) {
	limits := tight()
	limits.Turn = 0
	if err := ends(t, limits, "for (let i = 0; i < 200; i++) new Uint8Array(4e6)"); err != nil {
		t.Error(err)
	}
}

// A turn that waits in a synchronous function is excused where limits say so.
func TestWaiting(t *testing.T) {
	limits := tight()
	limits.Waits = true
	if err := ends(t, limits, "wait(1500)"); err != nil {
		t.Errorf("waiting was not excused: %v", err)
	}
	limits.Waits = false
	if err := ends(t, limits, "wait(1500); wait(1)"); err == nil {
		t.Error("waiting was excused")
	}
}

// A script that prints for long, but not fast, goes on.
func TestSlowOutput(t *testing.T) {
	limits := tight()
	limits.Output = 1 << 20
	if err := ends(t, limits, "for (let i = 0; i < 1000; i++) print('x'.repeat(100))"); err != nil {
		t.Error(err)
	}
}

// While a script works somebody outside hears where it is.
func TestSampled(t *testing.T) {
	l := loop.New()
	seen := make(chan guard.Position, 1)
	_, err := guard.Install(l, guard.Options{
		Limits: guard.Limits{Turn: within},
		Locate: func(p guard.Position) guard.Position { p.Line += 100; return p },
		Sampled: func(p guard.Position) {
			select {
			case seen <- p:
			default:
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		done <- l.Run(ctx, func() error {
			_, err := l.Runtime().RunScript("busy.js", "let i = 0;\nfunction work() { for (;;)\ni++; }\n\nwork()")
			return err
		})
	}()
	select {
	case p := <-seen:
		if p.File != "busy.js" || p.Line < 102 || p.Line > 103 || p.Function != "work" {
			t.Errorf("seen at %v", p)
		}
	case <-time.After(within):
		t.Error("nothing was sampled")
	}
	cancel()
	<-done
}

// What does not come back from a native function ends the process, and says
// where the function was called.
func TestExit(t *testing.T) {
	l := loop.New()
	limits := tight()
	release := make(chan struct{})
	exited := make(chan error, 1)
	_, err := guard.Install(l, guard.Options{Limits: limits, Exit: func(err error) {
		select {
		case exited <- err:
		default:
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Runtime().Set("hang", func() {
		l.Post(func() {}) // for the race detector: what the watchdog reads is older than this
		<-release
	})
	done := make(chan error, 1)
	go func() {
		done <- l.Run(t.Context(), func() error {
			_, err := l.Runtime().RunScript("stuck.js", "function f() {\n  hang(); }\n\nf()")
			return err
		})
	}()
	select {
	case err := <-exited:
		var exceeded *guard.Exceeded
		if !errors.As(err, &exceeded) || exceeded.Code != guard.Timeout || !strings.Contains(err.Error(), "f (stuck.js:2:") {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(within):
		t.Error("nothing ended the process")
	}
	close(release)
	if err := <-done; err == nil {
		t.Error("the script ended well")
	}
}
