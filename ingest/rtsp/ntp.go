package rtsp

import (
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
)

// ntpEpoch is the Unix time of NTP's zero, 1900, negated.
const ntpEpoch = 2208988800

// fromNTP converts a 64-bit NTP time: seconds since 1900 and a fraction in
// units of 2^-32. (gortsplib takes the fraction for nanoseconds, in both
// directions, which is why its PacketNTP and its sender reports are not used.)
func fromNTP(v uint64) time.Time {
	fraction := (v & 0xffffffff * 1e9) >> 32
	return time.Unix(int64(v>>32)-ntpEpoch, int64(fraction))
}

func toNTP(t time.Time) uint64 {
	seconds := uint64(t.Unix() + ntpEpoch)
	return seconds<<32 | uint64(t.Nanosecond())<<32/1e9
}

// senderClock is what sender reports say about a track's clock. Reports and
// packets may come on different goroutines.
type senderClock struct {
	rate   int
	newest atomic.Pointer[rtcp.SenderReport]
}

// report takes RTCP packets and keeps the newest sender report.
func (c *senderClock) report(p rtcp.Packet) {
	if sr, ok := p.(*rtcp.SenderReport); ok && sr.NTPTime != 0 {
		c.newest.Store(sr)
	}
}

// wall is the sender's wall clock at an RTP timestamp, zero while unknown.
func (c *senderClock) wall(ts uint32) time.Time {
	sr := c.newest.Load()
	if sr == nil || c.rate <= 0 {
		return time.Time{}
	}
	ticks := int64(int32(ts - sr.RTPTime))
	return fromNTP(sr.NTPTime).Add(time.Duration(ticks * int64(time.Second) / int64(c.rate)))
}
