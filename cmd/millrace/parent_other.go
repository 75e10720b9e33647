//go:build !linux

package main

import "syscall"

// dieWithParent keeps signals that are meant for the terminal's group from a
// process; that its input ends is what ends it with its parent.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
