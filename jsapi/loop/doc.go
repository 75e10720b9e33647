// Package loop runs one JavaScript runtime on one goroutine, in Node's order
// of ticks, microtasks, timers and immediates.
//
// # The threading rule
//
// A goja runtime and every value of it belong to the goroutine that is in
// Loop.Run. Of a Loop's methods only Post, Call, Interrupt, Pending.Settle and
// Context may be used from other goroutines; all others are for code that the
// loop runs. What works elsewhere begins with a Pending, does its work without
// touching a value of the runtime, and comes back by Pending.Settle exactly
// once; Loop.Promise does all of this for a function that returns a value.
//
// # One turn
//
// Every macrotask is one turn: the task, then the nextTick queue until it is
// empty, then promise jobs, and again while either has work. Afterwards what
// was rejected and has no handler is reported.
package loop
