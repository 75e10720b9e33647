package main

import (
	"log/slog"

	"github.com/millrace/millrace/internal/config"
	"github.com/millrace/millrace/internal/telemetry"
)

// settings are the flags that every command with a server in it takes. A nil
// one was not given, so that the environment and the file are asked.
type settings struct {
	Config    *string `short:"c" placeholder:"FILE" help:"Configuration file (MILLRACE_CONFIG)."`
	HTTP      *string `name:"http" placeholder:"ADDRESS" help:"Address of the HTTP server, off for none; :8080 by default (MILLRACE_HTTP)."`
	RTSP      *string `name:"rtsp" placeholder:"ADDRESS" help:"Address of the RTSP server; :8554 by default (MILLRACE_RTSP)."`
	RTMP      *string `name:"rtmp" placeholder:"ADDRESS" help:"Address of the RTMP server; :1935 by default (MILLRACE_RTMP)."`
	SRT       *string `name:"srt" placeholder:"ADDRESS" help:"Address of the SRT server; :8890 by default (MILLRACE_SRT)."`
	Data      *string `placeholder:"FOLDER" help:"Folder for what outlives a restart; ./millrace-data by default (MILLRACE_DATA)."`
	LogFormat *string `placeholder:"FORMAT" help:"Format of the log, text or json; text by default (MILLRACE_LOG_FORMAT)."`
}

// given maps the flags that were given to their values.
func (s *settings) given() map[string]string {
	flags := make(map[string]string)
	for name, value := range map[string]*string{
		"config": s.Config, "http": s.HTTP, "rtsp": s.RTSP, "rtmp": s.RTMP, "srt": s.SRT,
		"data": s.Data, "log-format": s.LogFormat,
	} {
		if value != nil {
			flags[name] = *value
		}
	}
	return flags
}

func (s *settings) load(w *world) (*config.Config, error) { return config.Load(s.given(), w.env) }

// logger is the log of a server.
func (w *world) logger(format string) *slog.Logger {
	return telemetry.NewLogger(w.stderr, telemetry.LogOptions{
		Format: telemetry.Format(format), Terminal: w.errTerminal,
	})
}
