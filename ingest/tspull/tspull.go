package tspull

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/ingest/mpegts"
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/internal/telemetry"
)

// Config says what to pull and how.
type Config struct {
	// URL is the source: udp://, http:// or https://. Of it, scheme and host are logged.
	URL string

	// ReadTimeout is how long the source may deliver nothing that can be used
	// before it is connected to anew; 10 s by default.
	ReadTimeout time.Duration

	// Retry says how the source is come back to. To one of UDP there is nothing
	// to spare, and nobody listens during a pause: there it does not grow.
	Retry ingest.Retry

	Logger *slog.Logger // nil: none
}

const (
	defaultTimeout = 10 * time.Second
	udpPause       = time.Second
)

// Pull keeps a source attached to the sink until ctx ends, which is nil, or
// the sink has ended or the URL is no URL, which is an error; see ingest.Pull.
func Pull(ctx context.Context, cfg Config, sink ingest.Sink) error {
	u, err := url.Parse(cfg.URL)
	if err != nil {
		return errors.New("pull: the source is no URL")
	}
	if cfg.ReadTimeout <= 0 {
		cfg.ReadTimeout = defaultTimeout
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if u.Scheme == "udp" {
		cfg.Retry.Backoff = cmp.Or(cfg.Retry.Backoff, udpPause)
		cfg.Retry.Max = cfg.Retry.Backoff
	}
	public := u.Scheme + "://" + u.Host // paths, too, may be secret
	p := &puller{cfg: cfg, url: u, sink: sink, log: cfg.Logger.With("source", public)}
	return ingest.Pull(ctx, cfg.Retry, p.log, sink, p.session)
}

// puller is a Pull at work.
type puller struct {
	cfg    Config
	url    *url.URL
	sink   ingest.Sink
	log    *slog.Logger
	faults telemetry.Summary
}

// bufferSize is as much as is read at once: a datagram, at most.
const bufferSize = 64 << 10

// session is one connection.
func (p *puller) session(ctx context.Context) (delivered bool, err error) {
	in, err := p.open(ctx)
	if err != nil {
		return false, err
	}
	// It ends reading, which is how a failed Close would show.
	hangUp := func() { _ = in.Close() }
	defer hangUp()
	r := mpegts.New(mpegts.Config{Attach: p.attach, Fault: p.fault})
	buf := make([]byte, bufferSize)
	err = r.Run(ctx, p.cfg.ReadTimeout, hangUp, func() ([]byte, error) {
		n, err := in.Read(buf)
		return buf[:n], err
	})
	if errors.Is(err, io.EOF) {
		err = errors.New("the source has ended")
	}
	pub := r.Publisher()
	if pub == nil {
		return false, err
	}
	pub.Close(err)
	if why := pub.Err(); why != nil {
		err = why
	}
	return true, err
}

func (p *puller) open(ctx context.Context) (io.ReadCloser, error) {
	switch p.url.Scheme {
	case "udp":
		return listen(ctx, p.url.Host)
	case "http", "https":
		return get(ctx, p.url.String(), p.cfg.ReadTimeout)
	}
	return nil, fmt.Errorf("cannot pull from %s://", p.url.Scheme)
}

// udpBuffer is the receive buffer asked for, in bytes.
const udpBuffer = 4 << 20

// listen takes datagrams at an address of this machine, or of a group that it
// joins.
func listen(ctx context.Context, address string) (io.ReadCloser, error) {
	a, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for UDP: %w", err)
	}
	var c *net.UDPConn
	if a.IP.IsMulticast() {
		c, err = net.ListenMulticastUDP("udp", nil, a)
	} else {
		var pc net.PacketConn
		if pc, err = (&net.ListenConfig{}).ListenPacket(ctx, "udp", address); err == nil {
			c = pc.(*net.UDPConn)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("listen for UDP: %w", err)
	}
	// The kernel gives what it allows.
	_ = c.SetReadBuffer(udpBuffer)
	return c, nil
}

// get fetches a stream over HTTP.
func get(ctx context.Context, address string, patience time.Duration) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errors.New("the URL cannot be asked for")
	}
	req.Header.Set("User-Agent", "Millrace")
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout, transport.DisableKeepAlives = patience, true
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the URL
		}
		return nil, fmt.Errorf("fetch: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close() // the status says what is wrong
		return nil, fmt.Errorf("fetch: status %s", resp.Status)
	}
	return resp.Body, nil
}

// attach puts what was found on the stream.
func (p *puller) attach(tracks []*media.Track, unused []ingest.Unused) (*ingest.Publisher, error) {
	if len(tracks) == 0 {
		return nil, ingest.NoTracks(unused)
	}
	for _, u := range unused {
		p.log.Warn("track ignored", "codec", u.String())
	}
	pub, err := p.sink.Attach(ingest.PublisherInfo{
		Protocol: p.url.Scheme, Remote: sourceAddr(p.url.Host), Agent: "source", Unused: unused, SharedClock: true,
	}, tracks)
	if err == nil {
		p.log.Info("source connected", "tracks", fmt.Sprint(tracks))
	}
	return pub, err
}

// fault mentions what is wrong with the bytes.
func (p *puller) fault(err error) {
	if n, ok := p.faults.Due(err.Error()); ok {
		p.log.Warn("bad packets", "error", err, "count", n)
	}
}

// sourceAddr is the address of a source as its URL has it.
type sourceAddr string

func (sourceAddr) Network() string  { return "ip" }
func (a sourceAddr) String() string { return string(a) }
