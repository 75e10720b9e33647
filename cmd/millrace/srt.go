package main

import (
	"context"

	"github.com/millrace/millrace/ingest/srt"
	"github.com/millrace/millrace/internal/config"
)

func (s *server) openSRT() (err error) {
	if s.cfg.SRT.Listen == config.Off {
		return nil
	}
	s.srt, err = srt.New(srt.Config{Listen: string(s.cfg.SRT.Listen), Logger: s.log}, s.manager)
	return err
}

// startSRT serves until drain, and reports a listener that ends before.
func (s *server) startSRT(ctx context.Context) {
	if s.srt == nil {
		return
	}
	s.serving.Go(func() {
		if err := s.srt.Run(ctx); err != nil {
			s.failed <- err
		}
	})
}

// closeSRT ends what publishes over SRT.
func (s *server) closeSRT() {
	if s.srt != nil {
		s.srt.Close()
	}
}

// srtAddress is where SRT listens, empty where it is off.
func (s *server) srtAddress() string {
	if s.srt == nil {
		return ""
	}
	return s.srt.Addr().String()
}
