package media

import (
	"math"
	"math/big"
	"testing"
	"time"
)

func TestRescale(t *testing.T) {
	for _, c := range []struct {
		ticks    int64
		from, to int
		want     int64
	}{
		{0, 90000, 48000, 0},
		{90000, 90000, 48000, 48000},
		{1, 90000, 48000, 1}, // 0.53 rounds up
		{1, 90000, 44100, 0}, // 0.49 rounds down
		{1, 2, 1, 1},
		{-1, 2, 1, -1}, // halves go away from zero
		{3003, 90000, 30000, 1001},
		{1 << 43, 90000, 1_000_000_000, 97734366913422222},
		{1 << 62, 90000, 1_000_000_000, math.MaxInt64},
		{-1 << 62, 90000, 1_000_000_000, -math.MaxInt64},
		{-90000, 90000, 1000, -1000},
		{math.MaxInt64, 48000, 48000, math.MaxInt64},
	} {
		if got := Rescale(c.ticks, c.from, c.to); got != c.want {
			t.Errorf("Rescale(%d, %d, %d) = %d, want %d", c.ticks, c.from, c.to, got, c.want)
		}
	}
}

func FuzzRescale(f *testing.F) {
	f.Add(int64(1), uint32(90000), uint32(48000))
	f.Add(int64(-1)<<40, uint32(44100), uint32(1_000_000_000))
	f.Fuzz(func(t *testing.T, ticks int64, from, to uint32) {
		if from == 0 || to == 0 {
			return
		}
		// round half away from zero: (2|t|·to + from) / 2·from
		num := new(big.Int).Mul(new(big.Int).Abs(big.NewInt(ticks)), big.NewInt(2*int64(to)))
		num.Add(num, big.NewInt(int64(from)))
		num.Div(num, big.NewInt(2*int64(from)))
		if ticks < 0 {
			num.Neg(num)
		}
		if limit := big.NewInt(math.MaxInt64); num.CmpAbs(limit) > 0 && from != to {
			num.Mul(limit, big.NewInt(int64(num.Sign())))
		}
		if got := Rescale(ticks, int(from), int(to)); got != num.Int64() {
			t.Fatalf("Rescale(%d, %d, %d) = %d, want %v", ticks, from, to, got, num)
		}
	})
}

func TestDurationRoundTrip(t *testing.T) {
	if got := Duration(Ticks(90*time.Minute, 90000), 90000); got != 90*time.Minute {
		t.Fatal(got)
	}
}
