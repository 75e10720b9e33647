package node

import (
	"bytes"
	"math/big"
	"os"
	"strconv"
)

// residentSize is what the process has in memory; otherwise where the system
// does not tell.
func residentSize(otherwise uint64) uint64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return otherwise
	}
	fields := bytes.Fields(b)
	if len(fields) < 2 {
		return otherwise
	}
	pages, err := strconv.ParseUint(string(fields[1]), 10, 64)
	if err != nil {
		return otherwise
	}
	return pages * uint64(os.Getpagesize())
}

func bigint(n uint64) *big.Int { return new(big.Int).SetUint64(n) }
