package transcode

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/millrace/millrace/internal/child"
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/wire"
)

// Thumbnailer makes pictures of keyframes, in one worker process that all
// streams share. The process is started by the first request, ends when none
// has come for a while, and is replaced when it dies. Whoever asks should
// keep what he gets: a picture is made for every request.
type Thumbnailer struct {
	supervisor *Supervisor

	turn   chan struct{} // holds a token: one request at a time
	closed chan struct{}
	close  sync.Once
	work   sync.WaitGroup

	// Owned by the holder of the turn.
	worker *process
	id     uint64
	idle   *time.Timer
	after  time.Duration // when the next start is allowed, after a death
}

const (
	// pictureTime is how long a picture may take; one takes a few ms.
	pictureTime = 5 * time.Second
	// idleTime is how long the worker is kept without requests.
	idleTime = time.Minute
	// pauseAfterDeath keeps a keyframe that kills workers from being asked
	// for in a loop.
	pauseAfterDeath = time.Second
)

// ErrNoPicture is wrapped where a keyframe does not give a picture.
var ErrNoPicture = errors.New("no picture")

// Thumbnailer returns a new Thumbnailer. The caller must Close it.
func (s *Supervisor) Thumbnailer() *Thumbnailer {
	t := &Thumbnailer{supervisor: s, turn: make(chan struct{}, 1), closed: make(chan struct{})}
	t.turn <- struct{}{}
	return t
}

// JPEG makes a picture of a video keyframe, width pixels wide and as high as
// its display aspect asks for. It fails with ErrNoPicture where the frame
// cannot be decoded, with a *Death where it killed the worker, and with ctx. It
// may be called from any goroutine; requests wait for each other.
func (t *Thumbnailer) JPEG(ctx context.Context, key *media.Packet, width int) ([]byte, error) {
	if key == nil || !key.Key || key.Track.Kind != media.Video || width < 16 || width > 4096 {
		return nil, fmt.Errorf("make thumbnail: %w: no video keyframe, or no usable width", ErrNoPicture)
	}
	select {
	case <-t.turn:
	case <-ctx.Done():
		return nil, fmt.Errorf("make thumbnail: %w", context.Cause(ctx))
	case <-t.closed:
		return nil, fmt.Errorf("make thumbnail: %w", ErrClosed)
	}
	type answer struct {
		jpeg []byte
		err  error
	}
	done := make(chan answer, 1)
	// The exchange goes on when the caller leaves: half a conversation
	// would have to end with the worker.
	t.work.Go(func() {
		defer func() { t.turn <- struct{}{} }()
		jpeg, err := t.exchange(context.WithoutCancel(ctx), key, width)
		done <- answer{jpeg, err}
	})
	select {
	case a := <-done:
		if a.err != nil {
			return nil, fmt.Errorf("make thumbnail: %w", a.err)
		}
		return a.jpeg, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("make thumbnail: %w", context.Cause(ctx))
	}
}

func (t *Thumbnailer) exchange(ctx context.Context, key *media.Packet, width int) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, pictureTime, errors.New("it took too long"))
	defer cancel()
	select {
	case <-t.closed:
		return nil, ErrClosed
	default:
	}
	if t.idle != nil {
		t.idle.Stop()
	}
	if t.worker != nil && t.worker.Exits(0) { // it died while nobody asked
		t.dismiss()
	}
	if t.worker == nil {
		if wait := t.after - media.Now(); wait > 0 {
			return nil, fmt.Errorf("%w: the worker died %s ago", ErrNoPicture, (pauseAfterDeath - wait).Round(time.Millisecond))
		}
		var err error
		if t.worker, err = t.start(ctx); err != nil {
			t.after = media.Now() + pauseAfterDeath
			return nil, err
		}
	}
	defer t.rest()
	jpeg, err := t.picture(ctx, key, width)
	if err != nil && !errors.Is(err, ErrNoPicture) {
		t.worker.Kill(Closed, err.Error())
		t.worker.Stop(child.LastWords)
		t.worker, t.after = nil, media.Now()+pauseAfterDeath
	}
	return jpeg, err
}

func (t *Thumbnailer) start(ctx context.Context) (*process, error) {
	o := &t.supervisor.opts
	return launch{
		command: o.Command, role: wire.RoleThumbnail, name: "thumbnails", nice: 10,
		ready: o.Ready, logger: o.Logger.With("worker", "thumbnails"),
	}.start(ctx)
}

func (t *Thumbnailer) picture(ctx context.Context, key *media.Packet, width int) ([]byte, error) {
	defer t.worker.EndWith(ctx)()
	t.id++
	request := &wire.Thumbnail{ID: t.id, Width: width, Track: *key.Track, Payload: key.Payload}
	m, err := t.worker.ask(ctx, request)
	if err != nil {
		return nil, err
	}
	image, ok := m.(*wire.Image)
	switch {
	case !ok || image.ID != t.id:
		return nil, t.worker.Broken(fmt.Errorf("it answered by a message of type %d", m.Type()))
	case image.Error != "":
		return nil, fmt.Errorf("%w: %s", ErrNoPicture, child.Clip(image.Error, maxText))
	case len(image.JPEG) < 4 || image.JPEG[0] != 0xff || image.JPEG[1] != 0xd8:
		return nil, t.worker.Broken(errors.New("it sent a picture that is no JPEG"))
	}
	return image.JPEG, nil
}

// rest has the worker leave after a while without requests.
func (t *Thumbnailer) rest() {
	if t.worker == nil {
		return
	}
	t.idle = time.AfterFunc(idleTime, func() {
		select {
		case <-t.turn:
			t.dismiss()
			t.turn <- struct{}{}
		default: // a request has come
		}
	})
}

// dismiss ends the worker; the caller holds the turn.
func (t *Thumbnailer) dismiss() {
	if t.worker != nil {
		_ = t.worker.Conn.Close()
		t.worker.Stop(t.supervisor.opts.Grace)
		t.worker = nil
	}
}

// Close ends the worker and waits for it. It may be called twice.
func (t *Thumbnailer) Close() {
	t.close.Do(func() {
		close(t.closed)
		<-t.turn
		if t.idle != nil {
			t.idle.Stop()
		}
		t.dismiss()
		t.work.Wait()
	})
}
