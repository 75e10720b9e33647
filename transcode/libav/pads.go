package libav

import (
	"fmt"
	"strconv"
	"strings"
)

// places tells where each of the open pads of a filter graph stands, by their
// labels: those that are numbered ("0", "in0", "0:v", "out1") stand where the
// number says. Where one of them is not numbered all stand as they are written
// (nil).
func places(labels []string) ([]int, error) {
	order := make([]int, len(labels))
	taken := make(map[int]bool)
	for i, l := range labels {
		n, ok := numberOf(l)
		if !ok {
			return nil, nil
		}
		if taken[n] {
			return nil, fmt.Errorf("[%s] is there twice; split makes two of it: %w", l, ErrShape)
		}
		taken[n] = true
		order[i] = n
	}
	for i := range labels {
		if !taken[i] {
			return nil, fmt.Errorf("%s are numbered, and number %d is missing: %w", "["+strings.Join(labels, "], [")+"]", i, ErrShape)
		}
	}
	return order, nil
}

// numberOf reads the number of a label.
func numberOf(label string) (int, bool) {
	label = strings.TrimPrefix(strings.TrimPrefix(label, "in"), "out")
	label = strings.TrimSuffix(strings.TrimSuffix(label, ":v"), ":a")
	n, err := strconv.Atoi(label)
	return n, err == nil && n >= 0 && n < 1<<16 && strconv.Itoa(n) == label
}
