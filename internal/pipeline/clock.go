package pipeline

import (
	"context"
	"time"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/media"
)

// reportTime is how long a stream whose dates are to be its sender's waits for
// the first report of that clock: RTCP senders send one every 5 s at the
// latest, most of them at once.
const reportTime = 5 * time.Second

// clockSender is the setting by which dates follow the publisher's clock.
const clockSender = "sender"

// senderClock tells the publisher's own clock, where dates are to follow it.
func (p *Pipeline) senderClock() func(*media.Packet) (time.Time, bool) {
	if p.set.Clock != clockSender {
		return nil
	}
	return func(packet *media.Packet) (time.Time, bool) { return p.stream.SenderWall(packet.Track.ID, packet.PTS) }
}

// awaitReport waits until the publisher has told its clock. Dates never step
// once they have begun, so one that comes later would come in vain; what is
// published meanwhile waits in the subscription.
func (p *Pipeline) awaitReport(ctx context.Context, publisher *ingest.Publisher, lead *media.Track) {
	if p.set.Clock != clockSender || publisher == nil {
		return
	}
	ticker, limit := time.NewTicker(20*time.Millisecond), time.NewTimer(reportTime)
	defer ticker.Stop()
	defer limit.Stop()
	for {
		if _, ok := p.stream.SenderWall(lead.ID, 0); ok {
			return
		}
		select {
		case <-ticker.C:
		case <-publisher.Done():
			return
		case <-ctx.Done():
			return
		case <-limit.C:
			p.log.Warn("the publisher does not tell its clock (RTCP sender reports): dates follow the server's", "waited", reportTime)
			return
		}
	}
}
