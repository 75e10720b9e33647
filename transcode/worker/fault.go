package worker

import (
	"errors"

	"github.com/millrace/millrace/transcode/libav"
	"github.com/millrace/millrace/transcode/wire"
)

// fault gives an error the class that the parent acts on.
func fault(node string, err error) *wire.Error {
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

func protocol(err error) *wire.Error {
	return &wire.Error{Class: wire.ClassProtocol, Message: err.Error()}
}
