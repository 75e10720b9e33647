package rtsp

import (
	"log/slog"
	"slices"
	"time"
)

// Names of transports, as in the configuration file.
const (
	TCP = "tcp" // RTP interleaved in the RTSP connection
	UDP = "udp"
)

// Config says where and how a Server listens.
type Config struct {
	// Listen is the TCP address, ":8554" by default. Port 0 takes a free one.
	Listen string

	// Transports are those clients may use; empty: both.
	Transports []string

	// RTPListen is the UDP address for RTP; RTCP uses the next port, so the
	// port must be even. Empty: ports 8000 and 8001 where they are free, else
	// any; the ports are told to each client, so only firewalls care. Port 0
	// takes free ones.
	RTPListen string

	// ReadTimeout is how long a publisher may deliver nothing, and a
	// connection may take to send its request; 10 s by default.
	ReadTimeout time.Duration
	// WriteTimeout is how long a reader may take nothing; 10 s by default.
	WriteTimeout time.Duration

	// ReaderQueue bounds what waits for one reader, in payload bytes; 4 MiB
	// by default. A reader slower than that misses pictures.
	ReaderQueue int

	// Logger takes what operators should see; nil: none.
	Logger *slog.Logger
}

const (
	defaultListen      = ":8554"
	defaultRTP         = ":8000"
	defaultTimeout     = 10 * time.Second
	defaultReaderQueue = 4 << 20
)

func (c Config) withDefaults() Config {
	if c.Listen == "" {
		c.Listen = defaultListen
	}
	if len(c.Transports) == 0 {
		c.Transports = []string{TCP, UDP}
	}
	if c.ReadTimeout <= 0 {
		c.ReadTimeout = defaultTimeout
	}
	if c.WriteTimeout <= 0 {
		c.WriteTimeout = defaultTimeout
	}
	if c.ReaderQueue <= 0 {
		c.ReaderQueue = defaultReaderQueue
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func (c Config) allows(transport string) bool { return slices.Contains(c.Transports, transport) }
