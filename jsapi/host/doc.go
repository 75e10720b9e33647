// Package host is the server's side of the app: it starts the process that
// runs the app script, watches it, starts it again, and puts a changed script
// in its place; it asks the script's hooks, tells it what happens, does what
// it asks for, and hands it the connections that its HTTP routes answer. No
// JavaScript runs here.
//
//	process   event                                      next
//	starting  Ready                                      current; the one before leaves
//	starting  Failed, exit, or too slow; another runs    the other stays; app:rejected
//	starting  the same, none runs                        again after a pause, or when a file changes
//	current   a file of the script changed               another one starts beside it
//	current   exit, memory over its ceiling, silence     another one starts after a pause
//
// While no process is current, hooks that are known, or might be there, refuse.
package host
