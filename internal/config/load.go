package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Setting is a configuration value that flags and the environment may give.
type Setting struct {
	Flag string // without its dashes
	Env  string
	Key  string // the key it beats; empty where the file has none
	Doc  string
}

// Settings lists them. Each flag has its variable.
func Settings() []Setting {
	return []Setting{
		{"config", "MILLRACE_CONFIG", "", "Configuration file."},
		{"http", "MILLRACE_HTTP", "http.listen", "Address of the HTTP server; off for none."},
		{"rtsp", "MILLRACE_RTSP", "rtsp.listen", "Address of the RTSP server; off for none."},
		{"rtmp", "MILLRACE_RTMP", "rtmp.listen", "Address of the RTMP server; off for none."},
		{"srt", "MILLRACE_SRT", "srt.listen", "Address of the SRT server; off for none."},
		{"data", "MILLRACE_DATA", "data", "Folder for everything that outlives a restart."},
		{"log-format", "MILLRACE_LOG_FORMAT", "", "Format of the log: text or json."},
	}
}

// Load reads the configuration. flags holds the values of flags that were
// given, by name without dashes; the file is flags["config"], or else
// MILLRACE_CONFIG, or else there is none. env looks up a variable; an empty one
// counts as not set. Paths in the file are relative to its folder, those of
// flags and variables to the working directory.
//
// The error is Errors, or says why the file cannot be read.
func Load(flags map[string]string, env func(string) string) (*Config, error) {
	given := func(s Setting) (value, from string) {
		if v, ok := flags[s.Flag]; ok {
			return v, "--" + s.Flag
		}
		return env(s.Env), s.Env
	}
	c := Default()
	settings := Settings()
	file, from := given(settings[0])
	d := newDecoder(file)
	if file != "" {
		data, err := read(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", from, err)
		}
		d.config(data, c)
		c.relativeTo(filepath.Dir(file), d)
	}
	c.File, c.source = file, &d.source
	for _, s := range settings[1:] {
		if value, from := given(s); value != "" || from == "--"+s.Flag {
			c.override(s, value, from, d)
		}
	}
	d.validate(c)
	if err := d.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// Parse reads the bytes of a configuration file. It neither opens files nor
// looks at the environment.
func Parse(file string, data []byte) (*Config, error) {
	d := newDecoder(file)
	c := Default()
	d.config(data, c)
	d.validate(c)
	c.File, c.source = file, &d.source
	if err := d.err(); err != nil {
		return nil, err
	}
	return c, nil
}

func (d *decoder) config(data []byte, c *Config) {
	if root := d.parse(data); root != nil {
		d.structure(root, c, "")
	}
}

// read returns the file's bytes, at most one more than a file may have.
func read(file string) ([]byte, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no file %s; name one that exists, or leave it out for the defaults", file)
	}
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	return data, errors.Join(err, f.Close())
}

// override sets what a flag or variable says.
func (c *Config) override(s Setting, value, from string, d *decoder) {
	var err error
	address := func(into *Address) {
		var a Address
		if a, err = parseAddress(value); err == nil {
			*into = a
		}
	}
	switch s.Flag {
	case "http":
		address(&c.HTTP.Listen)
	case "rtsp":
		address(&c.RTSP.Listen)
	case "rtmp":
		address(&c.RTMP.Listen)
	case "srt":
		address(&c.SRT.Listen)
	case "data":
		if c.Data = value; value == "" {
			err = errors.New("is empty; name a folder")
		}
	case "log-format":
		c.LogFormat, err = value, oneOf(value, []string{"text", "json"})
	}
	if err != nil {
		d.count++
		d.errs = append(d.errs, &Error{File: from, Message: err.Error()})
		return
	}
	// From here on a complaint about this value is about the flag, not about
	// what the file said.
	if s.Key != "" {
		d.at[s.Key] = &node{text: from}
	}
}

// relativeTo makes the paths that the file gave relative to its folder.
func (c *Config) relativeTo(dir string, d *decoder) {
	anchor := func(path *string) {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(dir, *path)
		}
	}
	if _, ok := d.at["data"]; ok {
		anchor(&c.Data)
	}
	anchor(&c.HTTP.TLS.Cert)
	anchor(&c.HTTP.TLS.Key)
	anchor(&c.App)
	for i := range c.Streams {
		anchor(&c.Streams[i].Pipeline)
		anchor(&c.Streams[i].HLS.Encryption.KeyFile)
	}
}
