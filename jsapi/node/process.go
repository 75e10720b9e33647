package node

import (
	"io"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/dop251/goja"
	"golang.org/x/sys/unix"

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
)

// nodeVersion is the Node whose behaviour the modules are held to.
const nodeVersion = "20.20.2"

// process is the native half of the module process.
type process struct {
	loop  *loop.Loop
	host  Host
	cwd   string
	stops map[string]func() // of signals that the script listens to
}

func newProcess(l *loop.Loop, host Host) *process {
	if host.Cwd == "" {
		host.Cwd = "/"
	}
	p := &process{loop: l, host: host, cwd: host.Cwd, stops: make(map[string]func())}
	return p
}

func (p *process) module(l *loop.Loop) goja.Value {
	o := native.New(l)
	o.Func("facts", func(native.Args) (any, error) { return p.facts(), nil })
	o.Func("env", func(native.Args) (any, error) {
		env := native.New(l)
		for name, value := range p.host.Env {
			_ = env.Set(name, value)
		}
		return env, nil
	})
	_ = o.Set("tick", p.tick)
	start := time.Now()
	o.Func("hrtime", func(native.Args) (any, error) { return l.Runtime().ToValue(bigint(uint64(time.Since(start)))), nil })
	o.Func("cwd", func(native.Args) (any, error) { return p.cwd, nil })
	o.Func("chdir", func(native.Args) (any, error) {
		return nil, &loop.Error{Code: "ERR_FEATURE_UNAVAILABLE", Message: "process.chdir() is not available: give full paths"}
	})
	o.Func("umask", func(native.Args) (any, error) { return 0o022, nil })
	o.Func("memory", p.memory)
	o.Func("cpu", p.cpu)
	o.Func("id", func(a native.Args) (any, error) {
		return map[string]func() int{
			"getuid": os.Getuid, "geteuid": os.Geteuid, "getgid": os.Getgid, "getegid": os.Getegid,
		}[a.String(0)](), nil
	})
	o.Func("kill", p.kill)
	o.Func("number", func(a native.Args) (any, error) { return int(unix.SignalNum(a.String(0))), nil })
	o.Func("signal", p.signal)
	o.Func("exit", p.exit)
	o.Func("hooks", p.hooks)
	o.Func("read", p.read)
	o.Func("write", p.write)
	o.Func("writeError", func(a native.Args) (any, error) {
		if p.host.Stderr != nil {
			_, _ = io.WriteString(p.host.Stderr, a.String(0))
		}
		return nil, nil
	})
	o.Func("terminal", func(a native.Args) (any, error) { return p.host.Terminals[a.Int(0)], nil })
	o.Func("size", func(native.Args) (any, error) {
		columns, rows := p.host.Columns, p.host.Rows
		if columns == 0 {
			columns, rows = 80, 24
		}
		return []any{columns, rows}, nil
	})
	return o.Object
}

func (p *process) facts() any {
	arch := map[string]string{"amd64": "x64", "386": "ia32"}[runtime.GOARCH]
	if arch == "" {
		arch = runtime.GOARCH
	}
	argv := append([]string{p.host.Exec, p.host.Script}, p.host.Args...)
	o := native.New(p.loop)
	for name, v := range map[string]any{
		"argv": argv, "argv0": p.host.Exec, "execArgv": []string{}, "execPath": p.host.Exec,
		"pid": os.Getpid(), "ppid": os.Getppid(), "platform": runtime.GOOS, "arch": arch,
		"version": "v" + nodeVersion,
	} {
		_ = o.Set(name, native.Value(p.loop.Runtime(), v))
	}
	versions := native.New(p.loop)
	_ = versions.Set("node", nodeVersion)
	_ = versions.Set("millrace", "goja")
	_ = o.Set("versions", versions.Object)
	return o
}

// tick is process.nextTick without its checks.
func (p *process) tick(call goja.FunctionCall) goja.Value {
	f, _ := goja.AssertFunction(call.Argument(0))
	args := slices.Clone(call.Arguments[1:]) // they lie on the engine's stack
	p.loop.NextTick(func() { p.loop.Invoke(f, goja.Undefined(), args...) })
	return goja.Undefined()
}

// memory tells of the whole process: the engine does not count a runtime's own.
func (p *process) memory(native.Args) (any, error) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	o := native.New(p.loop)
	for name, v := range map[string]uint64{
		"rss": residentSize(m.Sys), "heapTotal": m.HeapSys, "heapUsed": m.HeapAlloc,
		"external": 0, "arrayBuffers": 0,
	} {
		_ = o.Set(name, v)
	}
	return o, nil
}

func (p *process) cpu(native.Args) (any, error) {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return nil, err
	}
	o := native.New(p.loop)
	_ = o.Set("user", u.Utime.Nano()/1000)
	_ = o.Set("system", u.Stime.Nano()/1000)
	return o, nil
}

func (p *process) kill(a native.Args) (any, error) {
	name := a.String(1)
	s := unix.SignalNum(name)
	if s == 0 && name != "0" {
		return nil, &loop.Error{Name: "TypeError", Code: "ERR_UNKNOWN_SIGNAL", Message: "Unknown signal: " + name}
	}
	if err := unix.Kill(int(a.Int(0)), s); err != nil {
		return nil, err
	}
	return true, nil
}

// signal starts or, without a callback, ends the delivery of a signal.
func (p *process) signal(a native.Args) (any, error) {
	name := a.String(0)
	if stop := p.stops[name]; stop != nil {
		stop()
		delete(p.stops, name)
	}
	if !a.Given(1) || p.host.Signals == nil {
		return nil, nil
	}
	callback := a.Callback(1)
	stop, err := p.host.Signals(name, func() { p.loop.Post(func() { callback.Call() }) })
	if err != nil {
		return nil, err
	}
	p.stops[name] = stop
	return nil, nil
}

// exit ends the loop and, by an interruption, what the script is doing.
func (p *process) exit(a native.Args) (any, error) {
	p.loop.Stop(&Exit{Code: int(a.Int(0))})
	p.loop.Runtime().Interrupt(loop.ErrStopped)
	return nil, nil
}

// read gives a callback the next bytes of stdin, nil at its end; it returns
// what says whether the program waits for them.
func (p *process) read(a native.Args) (any, error) {
	callback, pending := a.Callback(0), p.loop.Pending()
	in := p.host.Stdin
	go func() {
		var b []byte
		err := io.EOF
		if in != nil {
			buffer := make([]byte, 65536)
			var n int
			n, err = in.Read(buffer)
			b = buffer[:n]
		}
		pending.Settle(func() {
			switch {
			case len(b) > 0:
				callback.Call(goja.Null(), p.buffer(b))
			case err == io.EOF || err == nil:
				callback.Call(goja.Null(), goja.Null())
			default:
				callback.Call(p.loop.Reason(err))
			}
		})
	}()
	o := native.New(p.loop)
	o.Func("ref", func(native.Args) (any, error) { pending.Ref(true); return nil, nil })
	o.Func("unref", func(native.Args) (any, error) { pending.Ref(false); return nil, nil })
	return o, nil
}

func (p *process) buffer(b []byte) goja.Value {
	v, err := p.loop.Buffer(b)
	if err != nil {
		p.loop.Throw(err)
	}
	return v
}

// outputs keeps two runtimes of a process from writing into one another's lines.
var outputs sync.Mutex

// write writes to stdout or stderr before it returns; it gives an error or null.
func (p *process) write(a native.Args) (any, error) {
	out := p.host.Stdout
	if a.Int(0) == 2 {
		out = p.host.Stderr
	}
	if out == nil {
		return goja.Null(), nil
	}
	outputs.Lock()
	_, err := out.Write(a.Bytes(1))
	outputs.Unlock()
	if err != nil {
		return p.loop.Reason(err), nil
	}
	return goja.Null(), nil
}

// hooks connects the loop to the process object's events.
func (p *process) hooks(a native.Args) (any, error) {
	rt := p.loop.Runtime()
	hook := func(name string) func(args ...goja.Value) goja.Value {
		f, _ := goja.AssertFunction(a.Get(0, name))
		return func(args ...goja.Value) goja.Value {
			v, err := f(goja.Undefined(), args...)
			if err != nil {
				p.loop.Fail(err)
				return goja.Undefined()
			}
			return v
		}
	}
	uncaught, unhandled, handled := hook("uncaught"), hook("unhandled"), hook("handled")
	idle, end := hook("idle"), hook("end")
	p.loop.Uncaught = func(err error) bool {
		return uncaught(p.loop.Reason(err), rt.ToValue("uncaughtException")).ToBoolean()
	}
	p.loop.Unhandled = func(reason goja.Value, promise *goja.Object) bool {
		return unhandled(reason, promise).ToBoolean()
	}
	p.loop.Handled = func(promise *goja.Object) { handled(promise) }
	p.loop.Idle = func() { idle() }
	p.loop.Ending = func(failed error) {
		code := end(rt.ToValue(failed != nil)).ToInteger()
		if failed == nil && code != 0 {
			p.loop.Stop(&Exit{Code: int(code)})
		}
		for _, stop := range p.stops {
			stop()
		}
	}
	return nil, nil
}
