// Package machine is the natives behind node:os.
package machine

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/user"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"github.com/dop251/goja"
	"golang.org/x/sys/unix"

	"github.com/millrace/millrace/jsapi/loop"
	"github.com/millrace/millrace/jsapi/native"
)

// Module is the name of the natives.
const Module = "internal:os"

// Provide gives a loop the natives of node:os.
func Provide(l *loop.Loop) {
	l.Provide(Module, func(l *loop.Loop) goja.Value {
		o := native.New(l)
		for name, f := range map[string]func() (any, error){
			"hostname":    func() (any, error) { return os.Hostname() },
			"home":        func() (any, error) { return os.UserHomeDir() },
			"parallelism": func() (any, error) { return runtime.NumCPU(), nil },
			"uptime":      uptime, "loadavg": loadavg, "totalmem": totalmem, "freemem": freemem,
			"cpus": cpus, "interfaces": interfaces, "user": account, "system": system,
		} {
			o.Func(name, func(native.Args) (any, error) { return f() })
		}
		signals := native.New(l)
		for n := syscall.Signal(1); n < 32; n++ {
			if name := unix.SignalName(n); name != "" {
				_ = signals.Set(name, int(n))
			}
		}
		_ = o.Set("constants", signals.Object)
		return o.Object
	})
}

func sysinfo() (unix.Sysinfo_t, error) {
	var info unix.Sysinfo_t
	return info, unix.Sysinfo(&info)
}

func uptime() (any, error) {
	info, err := sysinfo()
	return info.Uptime, err
}

func loadavg() (any, error) {
	info, err := sysinfo()
	loads := make([]any, len(info.Loads))
	for i, n := range info.Loads {
		loads[i] = float64(n) / (1 << 16)
	}
	return loads, err
}

func totalmem() (any, error) {
	info, err := sysinfo()
	return float64(info.Totalram) * float64(info.Unit), err
}

// freemem is what could be had, caches included, as Node tells it.
func freemem() (any, error) {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "MemAvailable:"); ok {
			kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib * 1024, err
		}
	}
	return nil, fmt.Errorf("/proc/meminfo does not say what is available")
}

// cpus is one object a processor. The times are not told.
func cpus() (any, error) {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return nil, err
	}
	model, speed := "unknown", 0.0
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch strings.TrimSpace(name) {
		case "model name":
			model = value
		case "cpu MHz":
			if mhz, err := strconv.ParseFloat(value, 64); err == nil {
				speed = mhz
			}
		}
	}
	all := make([]any, runtime.NumCPU())
	for i := range all {
		all[i] = plain(map[string]any{
			"model": model, "speed": int(speed),
			"times": map[string]any{"user": 0, "nice": 0, "sys": 0, "idle": 0, "irq": 0},
		}, "model", "speed", "times")
	}
	return all, nil
}

func interfaces() (any, error) {
	links, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	return func(rt *goja.Runtime) goja.Value {
		o := rt.NewObject()
		for _, link := range links {
			addresses, err := link.Addrs()
			if err != nil || link.Flags&net.FlagUp == 0 || len(addresses) == 0 {
				continue
			}
			var all []any
			for _, address := range addresses {
				if n, ok := address.(*net.IPNet); ok {
					all = append(all, described(link, n)(rt))
				}
			}
			_ = o.Set(link.Name, rt.NewArray(all...))
		}
		return o
	}, nil
}

func described(link net.Interface, n *net.IPNet) func(*goja.Runtime) goja.Value {
	family := "IPv6"
	if n.IP.To4() != nil {
		family = "IPv4"
	}
	mac := link.HardwareAddr.String()
	if mac == "" {
		mac = "00:00:00:00:00:00"
	}
	return plain(map[string]any{
		"address": n.IP.String(), "netmask": net.IP(n.Mask).String(), "family": family, "mac": mac,
		"internal": link.Flags&net.FlagLoopback != 0, "cidr": n.String(),
	}, "address", "netmask", "family", "mac", "internal", "cidr")
}

func account() (any, error) {
	u, err := user.Current()
	if err != nil {
		return nil, err
	}
	shell := any(nil)
	if s := os.Getenv("SHELL"); s != "" {
		shell = s
	}
	return plain(map[string]any{
		"uid": os.Getuid(), "gid": os.Getgid(), "username": u.Username, "homedir": u.HomeDir, "shell": shell,
	}, "uid", "gid", "username", "homedir", "shell"), nil
}

func system() (any, error) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return nil, err
	}
	return plain(map[string]any{
		"type": unix.ByteSliceToString(u.Sysname[:]), "release": unix.ByteSliceToString(u.Release[:]),
		"version": unix.ByteSliceToString(u.Version[:]), "machine": unix.ByteSliceToString(u.Machine[:]),
	}, "type", "release", "version", "machine"), nil
}

// plain is an object with its properties in an order.
func plain(fields map[string]any, order ...string) func(*goja.Runtime) goja.Value {
	return func(rt *goja.Runtime) goja.Value {
		o := rt.NewObject()
		for _, name := range order {
			v := fields[name]
			if inner, ok := v.(map[string]any); ok {
				_ = o.Set(name, plain(inner, "user", "nice", "sys", "idle", "irq")(rt))
				continue
			}
			_ = o.Set(name, v)
		}
		return o
	}
}
