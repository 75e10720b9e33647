package sockets

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/millrace/millrace/jsapi/loop"
)

// Failed words a network error as Node does: "connect ECONNREFUSED
// 127.0.0.1:80". call is connect, read, write, listen; host and port are where
// it went, empty where Node does not tell either.
func Failed(err error, call, host string, port int) error {
	if err == nil {
		return nil
	}
	var already *loop.Error
	if errors.As(err, &already) {
		return already
	}
	var name *net.DNSError
	if errors.As(err, &name) {
		return notFound(name)
	}
	if e := untrusted(err); e != nil {
		return e
	}
	var no syscall.Errno
	switch {
	case errors.As(err, &no):
	case errors.Is(err, os.ErrDeadlineExceeded):
		no = unix.ETIMEDOUT
	case errors.Is(err, net.ErrClosed), errors.Is(err, context.Canceled):
		no = unix.ECANCELED
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe):
		return &loop.Error{Code: "ECONNRESET", Message: "socket hang up", Cause: err}
	default:
		return &loop.Error{Code: "EPROTO", Message: fmt.Sprintf("%s EPROTO: %v", call, err), Cause: err}
	}
	code, text := loop.ErrnoText(no)
	e := &loop.Error{
		Code: code, Message: call + " " + code, Cause: err,
		Fields: map[string]any{"errno": -int(no), "syscall": call},
	}
	if call == "listen" {
		e.Message += ": " + text
	}
	if host != "" {
		e.Fields["address"] = host
		e.Message += " " + host
		if port >= 0 {
			e.Fields["port"] = port
			e.Message = fmt.Sprintf("%s:%d", e.Message, port)
		}
	}
	return e
}

// target is the address that a dial failed at, which tells more than the name
// that was asked for.
func target(err error, host string, port int) (string, int) {
	var op *net.OpError
	if errors.As(err, &op) && op.Addr != nil {
		if h, p, splitErr := net.SplitHostPort(op.Addr.String()); splitErr == nil {
			if n, convErr := strconv.Atoi(p); convErr == nil {
				return h, n
			}
		}
	}
	return host, port
}

// DialFailed is Failed for a connection that was not made.
func DialFailed(err error, host string, port int) error {
	h, p := target(err, host, port)
	return Failed(err, "connect", h, p)
}

func notFound(err *net.DNSError) error {
	code, no := "ENOTFOUND", -3008
	if err.IsTimeout || err.IsTemporary && !err.IsNotFound {
		code, no = "EAI_AGAIN", -3001
	}
	return &loop.Error{
		Code: code, Message: fmt.Sprintf("getaddrinfo %s %s", code, err.Name), Cause: err,
		Fields: map[string]any{"errno": no, "syscall": "getaddrinfo", "hostname": err.Name},
	}
}

// untrusted is an error of a certificate, under the name that OpenSSL has for
// it; nil where it is another one.
func untrusted(err error) error {
	var (
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		verify    *tls.CertificateVerificationError
		alert     tls.AlertError
		record    tls.RecordHeaderError
	)
	code := ""
	switch {
	case errors.As(err, &name):
		code = "ERR_TLS_CERT_ALTNAME_INVALID"
	case errors.As(err, &authority):
		code = "UNABLE_TO_VERIFY_LEAF_SIGNATURE"
		if c := authority.Cert; c != nil && c.Issuer.String() == c.Subject.String() {
			code = "DEPTH_ZERO_SELF_SIGNED_CERT"
		}
	case errors.As(err, &invalid):
		code = "CERT_INVALID"
		if invalid.Reason == x509.Expired {
			code = "CERT_HAS_EXPIRED"
		}
	case errors.As(err, &verify):
		code = "UNABLE_TO_VERIFY_LEAF_SIGNATURE"
	case errors.As(err, &alert):
		code = "ERR_SSL_ALERT"
	case errors.As(err, &record):
		code = "ERR_SSL_WRONG_VERSION_NUMBER"
	default:
		return nil
	}
	return &loop.Error{Code: code, Message: err.Error(), Cause: err}
}
