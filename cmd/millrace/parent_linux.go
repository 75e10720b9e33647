package main

import "syscall"

// dieWithParent keeps a process from outliving this one, and signals that are
// meant for the terminal's group from reaching it.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
