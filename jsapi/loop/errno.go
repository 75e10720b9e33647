package loop

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// phrases are Node's words (libuv's) where they differ from the C library's.
var phrases = map[syscall.Errno]string{
	unix.E2BIG:           "argument list too long",
	unix.EADDRINUSE:      "address already in use",
	unix.EADDRNOTAVAIL:   "address not available",
	unix.EAFNOSUPPORT:    "address family not supported",
	unix.EALREADY:        "connection already in progress",
	unix.EBUSY:           "resource busy or locked",
	unix.ECONNABORTED:    "software caused connection abort",
	unix.EEXIST:          "file already exists",
	unix.EFAULT:          "bad address in system call argument",
	unix.EFBIG:           "file too large",
	unix.EHOSTUNREACH:    "host is unreachable",
	unix.EIO:             "i/o error",
	unix.EISCONN:         "socket is already connected",
	unix.EISDIR:          "illegal operation on a directory",
	unix.ELOOP:           "too many symbolic links encountered",
	unix.EMFILE:          "too many open files",
	unix.EMSGSIZE:        "message too long",
	unix.ENAMETOOLONG:    "name too long",
	unix.ENETDOWN:        "network is down",
	unix.ENETUNREACH:     "network is unreachable",
	unix.ENFILE:          "file table overflow",
	unix.ENOMEM:          "not enough memory",
	unix.ENOSPC:          "no space left on device",
	unix.ENOTCONN:        "socket is not connected",
	unix.ENOTSOCK:        "socket operation on non-socket",
	unix.ENOTSUP:         "operation not supported on socket",
	unix.ENXIO:           "no such device or address",
	unix.EPROTONOSUPPORT: "protocol not supported",
	unix.EROFS:           "read-only file system",
	unix.ESPIPE:          "invalid seek",
	unix.ETXTBSY:         "text file is busy",
	unix.EXDEV:           "cross-device link not permitted",
}

// ErrnoText is a system error's code and Node's words for it: ENOENT, "no such
// file or directory".
func ErrnoText(no syscall.Errno) (code, text string) {
	code = unix.ErrnoName(no)
	if phrase := phrases[no]; phrase != "" {
		return code, phrase
	}
	return code, no.Error()
}
