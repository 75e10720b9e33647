package worker

import (
	"errors"
	"syscall"

	"github.com/millrace/millrace/transcode/libav"
	"github.com/millrace/millrace/transcode/wire"
)

// fault says which node of the graph an error is about. That the parent has
// left is no node's fault.
func fault(node string, err error) error {
	if err == nil || parted(err) {
		return err
	}
	return classify(node, err)
}

// classify gives an error the class that the parent acts on.
func classify(node string, err error) *wire.Error {
	var known *wire.Error
	if errors.As(err, &known) {
		return known
	}
	class := wire.ClassInternal
	switch {
	case errors.Is(err, libav.ErrMemory):
		class = wire.ClassMemory
	case errors.Is(err, libav.ErrUnsupported):
		class = wire.ClassUnsupported
	case errors.Is(err, libav.ErrCorrupt), errors.Is(err, libav.ErrInput):
		class = wire.ClassInput
	}
	return &wire.Error{Class: class, Node: node, Message: err.Error()}
}

// protocol blames the other side for what it sent, unless it has left.
func protocol(err error) error {
	if parted(err) {
		return err
	}
	return &wire.Error{Class: wire.ClassProtocol, Message: err.Error()}
}

// parted reports whether the parent closed its end, which is one way to say
// Bye.
func parted(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
}
