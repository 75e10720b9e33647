// Package guard keeps a script in bounds: how long it may work without coming
// back to its event loop, how much memory it may hold, what it may allocate at
// once, how deep it may recurse, how many timers it may set, how much it may
// print. Where it goes beyond, it ends with an error that says so and where it
// was.
//
// Four means, since the engine alone has none for most of this:
//
//   - Built-in functions that allocate or loop as much as their arguments say
//     are wrapped in place and throw a RangeError that the script can catch.
//   - A regular expression that backtracks for too long throws too; the engine
//     by itself would answer "no match".
//   - A watchdog on a goroutine of its own looks at the length of the turn and
//     at the heap, and interrupts the runtime, which no catch or finally stops.
//   - What is stuck in a native function, where the interrupt does not reach,
//     ends the process: that is what a script has one of its own for.
//
// A sampler notes where a busy script is, so that whoever ends the process from
// outside can still tell.
package guard
