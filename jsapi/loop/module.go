package loop

import (
	"fmt"

	"github.com/dop251/goja"
)

// Factory makes a module's exports, on the loop, when it is first required.
type Factory func(*Loop) goja.Value

type module struct {
	make    Factory
	exports goja.Value
	loading bool
}

// Provide makes a module known by a name: "node:fs", "millrace". Names that
// begin with "internal:" are for the modules themselves; scripts do not see
// them.
func (l *Loop) Provide(name string, f Factory) { l.modules[name] = &module{make: f} }

// Provides tells whether a module is known by the name.
func (l *Loop) Provides(name string) bool { return l.modules[name] != nil }

// Require is a module's exports; the first call makes them.
func (l *Loop) Require(name string) (goja.Value, error) {
	m := l.modules[name]
	if m == nil {
		return nil, &Error{Code: "MODULE_NOT_FOUND", Message: fmt.Sprintf("Cannot find module '%s'", name)}
	}
	if m.exports == nil {
		if m.loading {
			return nil, &Error{Code: "ERR_REQUIRE_CYCLE_MODULE", Message: fmt.Sprintf("module '%s' requires itself", name)}
		}
		m.loading = true
		defer func() { m.loading = false }()
		m.exports = m.make(l)
	}
	return m.exports, nil
}
