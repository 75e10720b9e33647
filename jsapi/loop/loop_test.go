package loop_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dop251/goja"
	"go.uber.org/goleak"

	"github.com/millrace/millrace/jsapi/loop"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script runs source with what a test of the order needs, and gives its log.
func script(t *testing.T, source string) (string, error) {
	t.Helper()
	l := loop.New()
	var log []string
	rt := l.Runtime()
	call := func(v goja.Value) func() {
		f, _ := goja.AssertFunction(v)
		return func() { l.Invoke(f, goja.Undefined()) }
	}
	for name, f := range map[string]any{
		"log":          func(s string) { log = append(log, s) },
		"nextTick":     func(f goja.Value) { l.NextTick(call(f)) },
		"setImmediate": func(f goja.Value) { l.SetImmediate(call(f)) },
		"setTimeout":   func(f goja.Value, ms int) { l.SetTimer(time.Duration(ms)*time.Millisecond, false, call(f)) },
		"work": func() goja.Value {
			return l.Promise(func(context.Context) (any, error) { return 7, nil })
		},
	} {
		if err := rt.Set(name, f); err != nil {
			t.Fatal(err)
		}
	}
	err := l.Run(t.Context(), func() error {
		_, err := rt.RunString(source)
		return err
	})
	return strings.Join(log, " "), err
}

func TestOrderIsNodes(t *testing.T) {
	got, err := script(t, `
		setTimeout(() => { log('timer1'); nextTick(() => log('tick-of-timer')); Promise.resolve().then(() => log('job-of-timer')) }, 1);
		setTimeout(() => log('timer2'), 1);
		setTimeout(() => log('later'), 20);
		Promise.resolve().then(() => { log('job1'); nextTick(() => log('tick-of-job')) }).then(() => log('job2'));
		nextTick(() => { log('tick1'); nextTick(() => log('tick3')) });
		nextTick(() => log('tick2'));
		setTimeout(() => setImmediate(() => log('immediate')), 1);
		log('main');`)
	if err != nil {
		t.Fatal(err)
	}
	want := "main tick1 tick2 tick3 job1 job2 tick-of-job timer1 tick-of-timer job-of-timer timer2 immediate later"
	if got != want {
		t.Errorf("order\n got %s\nwant %s", got, want)
	}
}

func TestWorkElsewhereKeepsTheLoopAlive(t *testing.T) {
	got, err := script(t, `work().then((v) => log('got ' + v))`)
	if err != nil || got != "got 7" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestFatal(t *testing.T) {
	_, err := script(t, `setTimeout(() => { throw new Error('boom') }, 1)`)
	var exception *goja.Exception
	if !errors.As(err, &exception) || !strings.Contains(err.Error(), "boom") {
		t.Errorf("exception in a timer: %v", err)
	}
	_, err = script(t, `Promise.reject(new Error('lost'))`)
	var rejection *loop.UnhandledRejection
	if !errors.As(err, &rejection) || !strings.Contains(err.Error(), "lost") {
		t.Errorf("rejection: %v", err)
	}
	if _, err := script(t, `const p = Promise.reject(new Error('late')); nextTick(() => p.catch(() => {}))`); err != nil {
		t.Errorf("a rejection that is handled in a tick: %v", err)
	}
}

func TestInterruptEndsAnEndlessLoop(t *testing.T) {
	l := loop.New()
	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	go cancel(reason)
	err := l.Run(ctx, func() error {
		_, err := l.Runtime().RunString(`try { for (;;); } catch (e) {} finally { for (;;); }`)
		return err
	})
	if !errors.Is(err, reason) {
		t.Errorf("got %v", err)
	}
}

func TestAnIdleLoopHearsOfItsEnd(t *testing.T) {
	l := loop.New()
	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	p := l.Pending()
	go cancel(reason)
	if err := l.Run(ctx, func() error { return nil }); !errors.Is(err, reason) {
		t.Errorf("got %v", err)
	}
	p.Settle(func() { t.Error("ran after the end") })
}
