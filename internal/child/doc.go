// Package child runs processes of this program's own beside it: workers that
// do what may crash, leak or never end. It knows nothing of what they do.
//
// A child finds these descriptors open:
//
//	0     /dev/null
//	1, 2  a pipe to the parent: whatever a crashing process prints
//	3     the socket: a conversation, both ways (SocketFD)
//	4     the lifeline: a pipe that may bring a configuration and then stays
//	      open and silent; its end means the parent is gone (LifelineFD)
//	5 …   what else it was given (FilesFD)
//
// It is started with an empty environment, in a process group of its own, and
// dies with its parent. How it ended is told by a Death, made of why the
// parent killed it, what it said itself, its exit status and what it printed.
package child
