package transcode

import (
	"time"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/wire"
)

// Stats is a look at a Session.
type Stats struct {
	State State
	PID   int // of the worker; 0 while there is none

	// Speed is how many seconds of media the slowest stage of the worker
	// codes in a second in which it is busy: its headroom, where 1 just
	// keeps up. 0 before the first figures.
	Speed float64

	// Lag is how far the slowest video rendition is behind its source.
	Lag time.Duration

	QueueBytes int
	QueueAge   time.Duration // of its oldest packet
	Dropped    uint64        // packets that a full queue did not take

	RSS      int64         // of the worker, bytes
	CPU      time.Duration // of all workers so far
	Restarts int
	LastErr  error // why the last worker died, nil if none did

	Degradation Degradation

	PacketsOut, BytesOut uint64
	DecodeErrors         uint64
	Outputs              []wire.OutputStats // as the worker told them last
}

// tally is what a Session counts; its mutex guards it.
type tally struct {
	restarts             int
	level                int // index of the degradation
	lastDeath            error
	seenDropped          uint64 // as govern saw it last
	rss                  int64
	cpu, nowCPU          time.Duration // of dead workers, of the present one
	packetsOut, bytesOut uint64

	stats wire.Stats
	busy  time.Duration // of the slowest stage, when stats were taken
	media time.Duration // newest media time then
	speed float64

	workAt  time.Duration // when work was last looked at
	workCPU time.Duration
}

// take keeps a worker's figures, and works out its speed: newest is the media
// time that it was given.
func (t *tally) take(m *wire.Stats, newest time.Duration) {
	t.stats = *m
	busy := time.Duration(m.DecodeBusy)
	for _, o := range m.Outputs {
		busy = max(busy, time.Duration(o.Busy))
	}
	if busy > t.busy && newest > t.media && t.media > 0 {
		t.speed = min((newest-t.media).Seconds()/(busy-t.busy).Seconds(), 1000)
	}
	t.busy, t.media = busy, newest
}

// workerGone forgets what belongs to one worker only.
func (t *tally) workerGone() {
	t.rss, t.nowCPU, t.speed = 0, 0, 0
	t.stats, t.busy, t.media = wire.Stats{}, 0, 0
	t.workAt, t.workCPU = 0, 0
}

// works reports whether the worker's CPU time grows at a rate of at least a
// twentieth of a core since it was last asked over a period.
func (t *tally) works(now, cpu, period time.Duration) bool {
	if t.workAt == 0 || cpu < t.workCPU || now-t.workAt > 4*period {
		t.workAt, t.workCPU = now, cpu
		return true
	}
	if now-t.workAt < period/2 {
		return true
	}
	busy := cpu-t.workCPU > (now-t.workAt)/20
	t.workAt, t.workCPU = now, cpu
	return busy
}

// Stats returns the present figures.
func (s *Session) Stats() Stats {
	now := media.Now()
	bytes, age, dropped := s.queue.state(now)
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &s.tally
	st := Stats{
		State: s.state, Speed: t.speed, QueueBytes: bytes, QueueAge: age, Dropped: dropped,
		RSS: t.rss, CPU: t.cpu + t.nowCPU, Restarts: t.restarts, LastErr: t.lastDeath,
		Degradation: s.steps[t.level], PacketsOut: t.packetsOut, BytesOut: t.bytesOut,
		DecodeErrors: t.stats.DecodeErrors, Outputs: t.stats.Outputs,
	}
	st.Lag = s.progress.lag(st.Degradation.Off)
	if s.worker != nil {
		st.PID = s.worker.PID
	}
	return st
}
