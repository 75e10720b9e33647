package transcode

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/millrace/millrace/internal/child"
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/transcode/wire"
)

// Demuxer is a file or URL as a source of packets. It is demuxed in a process
// of its own, which stands still while nobody reads. Next belongs to one
// goroutine.
//
// For a file that is transcoded, packets cross the boundary three times: from
// here to the one who places them (cuts are decided in one place only), to the
// Session's worker, and back coded. That is cheap, for they are coded: some
// 20 MB a minute of 720p, against 27 seconds of encoding.
type Demuxer struct {
	p       *process
	ctx     context.Context
	release func() bool
	log     relay

	info   Info
	tracks wire.Tracks
	first  []*media.Track
	held   *wire.Packet
	err    error // what Next answers from now on
}

// Open opens a file's path or a URL and returns when its tracks are known. ctx
// bounds the Demuxer's whole life. What cannot be opened or is no media is a
// *Death whose Outcome is Refused.
func (s *Supervisor) Open(ctx context.Context, input string) (*Demuxer, error) {
	p, err := s.input(ctx, input)
	if err != nil {
		return nil, fmt.Errorf("open input: %w", err)
	}
	d := &Demuxer{p: p, ctx: ctx, release: p.EndWith(ctx), log: relay{logger: p.Logger, pid: p.PID}}
	if err := d.open(input); err != nil {
		d.Close()
		return nil, fmt.Errorf("open input: %w", err)
	}
	return d, nil
}

func (d *Demuxer) open(input string) error {
	m, err := d.p.ask(d.ctx, &wire.Open{URL: input})
	if err != nil {
		return err
	}
	opened, ok := m.(*wire.Opened)
	if !ok {
		return d.p.Broken(fmt.Errorf("it answered by a message of type %d", m.Type()))
	}
	d.info = opened.Info
	// All tracks are announced before the first packet.
	if d.held, err = d.read(); err != nil && err != io.EOF { //nolint:errorlint // bare by contract
		return err
	}
	d.err = err
	d.first = d.tracks.All()
	slices.SortFunc(d.first, func(a, b *media.Track) int { return a.ID - b.ID })
	if len(d.first) == 0 {
		return ErrNoTracks
	}
	return nil
}

// Info is what is in the input.
func (d *Demuxer) Info() *Info { return &d.info }

// Tracks are the input's at its beginning, ordered by ID.
func (d *Demuxer) Tracks() []*media.Track { return d.first }

// Next returns the next packet, in DTS order over all tracks; at the end
// io.EOF. The first error is final.
func (d *Demuxer) Next() (*media.Packet, error) {
	if held := d.held; held != nil {
		d.held = nil
		return held.Packet, nil
	}
	if d.err != nil {
		return nil, d.err
	}
	p, err := d.read()
	if err != nil {
		d.err = err
		return nil, err
	}
	return p.Packet, nil
}

// read returns the next packet and takes in the tracks before it.
func (d *Demuxer) read() (*wire.Packet, error) {
	for {
		m, err := d.p.next(d.ctx, &d.log)
		if err != nil {
			return nil, fmt.Errorf("read input: %w", err)
		}
		switch m := m.(type) {
		case *wire.Packet:
			if _, err := d.tracks.Resolve(m); err != nil {
				return nil, fmt.Errorf("read input: %w", d.p.Broken(err))
			}
			return m, nil
		case *wire.Track:
			if err := d.tracks.Announce(m); err != nil {
				return nil, fmt.Errorf("read input: %w", d.p.Broken(err))
			}
		case *wire.Bye:
			return nil, io.EOF
		case *wire.Stats:
		default:
			return nil, fmt.Errorf("read input: %w", d.p.Broken(fmt.Errorf("it sent a message of type %d", m.Type())))
		}
	}
}

// Close ends the process. It may be called twice, and while Next waits.
func (d *Demuxer) Close() {
	d.release()
	d.p.Kill(Closed, "it is not needed any more")
	d.p.Stop(child.LastWords)
}
