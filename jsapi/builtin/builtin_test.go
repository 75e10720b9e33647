package builtin_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/millrace/millrace/jsapi/builtin"
)

func TestResolve(t *testing.T) {
	for name, want := range map[string]string{
		"fs": "node:fs", "node:fs": "node:fs", "fs/promises": "node:fs/promises", "millrace": "millrace",
		"left-pad": "", "node:nothing": "", "internal:errors": "", "": "",
	} {
		if got := builtin.Resolve(name); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}

// The modules that scripts are promised.
func TestModules(t *testing.T) {
	all := builtin.Modules()
	for _, name := range strings.Fields(`assert async_hooks buffer console crypto events fs fs/promises http https module
		net os path perf_hooks process querystring readline stream stream/promises string_decoder timers timers/promises
		tty url util zlib`) {
		if !slices.Contains(all, "node:"+name) {
			t.Errorf("node:%s is missing", name)
		}
	}
	if !slices.Contains(all, "millrace") {
		t.Error("millrace is missing")
	}
	for _, name := range all {
		if strings.HasPrefix(name, "internal:") {
			t.Errorf("%s is told to scripts", name)
		}
	}
}
