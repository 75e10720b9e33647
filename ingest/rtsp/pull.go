package rtsp

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/pion/rtp"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/internal/telemetry"
)

// PullConfig says what to pull and how.
type PullConfig struct {
	// URL is the source, with user and password if it wants them (Basic or
	// Digest). It is never logged whole.
	URL string

	// Transport is TCP or UDP; empty: TCP, which loses nothing and passes
	// every NAT, and UDP where the source refuses that.
	Transport string

	// ReadTimeout is how long the source may deliver nothing before it is
	// connected to anew; 10 s by default.
	ReadTimeout time.Duration

	// Retry says how the source is come back to.
	Retry ingest.Retry

	Logger *slog.Logger // nil: none
}

func (c PullConfig) withDefaults() PullConfig {
	if c.ReadTimeout <= 0 {
		c.ReadTimeout = defaultTimeout
	}
	c.Logger = orDiscard(c.Logger)
	return c
}

// Pull keeps a source attached to the sink until ctx ends, which is nil, or
// the sink has ended or the URL is no URL, which is an error; see ingest.Pull.
func Pull(ctx context.Context, cfg PullConfig, sink ingest.Sink) error {
	cfg = cfg.withDefaults()
	u, err := parseURL(cfg.URL)
	if err != nil {
		return fmt.Errorf("pull: %w", err)
	}
	p := &puller{cfg: cfg, url: u, sink: sink, log: cfg.Logger.With("source", publicURL(u))}
	return ingest.Pull(ctx, cfg.Retry, p.log, sink, func(ctx context.Context) (bool, error) {
		err := p.session(ctx)
		return p.delivered, err
	})
}

// puller is a Pull at work.
type puller struct {
	cfg       PullConfig
	url       *base.URL
	sink      ingest.Sink
	log       *slog.Logger
	faults    telemetry.Summary
	refused   bool // the source refuses TCP
	delivered bool // the newest session has delivered media
}

// session is one connection, from dialling to its end.
func (p *puller) session(ctx context.Context) error {
	p.delivered = false
	transport := p.cfg.Transport
	if transport == "" {
		transport = TCP
		if p.refused {
			transport = UDP
		}
	}
	c, err := newClient(ctx, p.url, transport, p.cfg.ReadTimeout, p.fault)
	if err != nil {
		return err
	}
	defer c.close()
	err = p.play(ctx, c)
	if s := status(err); p.cfg.Transport == "" && s == base.StatusUnsupportedTransport {
		p.refused = !p.refused
	}
	return err
}

// play describes, sets up and plays the source, and waits for the end.
func (p *puller) play(ctx context.Context, c *client) error {
	desc, _, err := c.Describe(p.url)
	if err != nil {
		return fmt.Errorf("describe: %w", err)
	}
	list, unused, err := receivers(desc, c.hints)
	if err != nil {
		return err
	}
	for _, u := range unused {
		p.log.Warn("track ignored", "codec", u.String())
	}
	for _, r := range list {
		if _, err := c.Setup(desc.BaseURL, r.media, 0, 0); err != nil {
			return fmt.Errorf("set up %s: %w", r.track.Codec, err)
		}
	}
	info := ingest.PublisherInfo{Protocol: "rtsp", Remote: remoteAddr(p.url), Agent: "source", Unused: unused}
	pub, err := p.sink.Attach(info, tracks(list))
	if err != nil {
		return err
	}
	heard := &atomic.Int64{}
	heard.Store(int64(media.Now()))
	for _, r := range list {
		r.pub, r.note = pub, p.fault
		c.OnPacketRTP(r.media, r.format, func(pkt *rtp.Packet) {
			r.packet(pkt)
			heard.Store(int64(r.now))
		})
		c.OnPacketRTCP(r.media, r.control)
	}
	if _, err = c.Play(nil); err == nil {
		p.log.Info("source connected", "tracks", fmt.Sprint(tracks(list)))
		err = p.watch(ctx, c, pub, heard)
	}
	pub.Close(err)
	if why := pub.Err(); why != nil {
		return why
	}
	return err
}

// watch waits until the session ends, is ended, or falls silent.
func (p *puller) watch(ctx context.Context, c *client, pub *ingest.Publisher, heard *atomic.Int64) error {
	ended := make(chan struct{})
	var failed error // how the connection ended
	go func() {
		defer close(ended)
		failed = c.Wait()
	}()
	begun := heard.Load()
	defer func() {
		p.delivered = heard.Load() != begun
		c.close()
		<-ended
	}()
	timer := time.NewTimer(p.cfg.ReadTimeout)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-pub.Done():
			return pub.Err()
		case <-ended:
			return failed
		case <-timer.C:
			silent := media.Now() - time.Duration(heard.Load())
			if silent >= p.cfg.ReadTimeout {
				return fmt.Errorf("%w for %v", errSilent, p.cfg.ReadTimeout)
			}
			timer.Reset(p.cfg.ReadTimeout - silent)
		}
	}
}

func (p *puller) fault(err error) {
	if n, ok := p.faults.Due(err.Error()); ok {
		p.log.Warn("bad packets", "error", err, "count", n)
	}
}

// sourceAddr is the address of a source as its URL has it.
type sourceAddr string

func (sourceAddr) Network() string  { return "tcp" }
func (a sourceAddr) String() string { return string(a) }

func remoteAddr(u *base.URL) net.Addr { return sourceAddr(u.Host) }
