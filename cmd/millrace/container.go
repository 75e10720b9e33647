package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/millrace/millrace/internal/config"
)

// keyFile is where the key of a container's first start is kept, in the data
// folder.
const keyFile = "access.key"

// containerKey sees to it that a container can be used: nobody is loopback
// there, so without keys nobody could publish. The first start makes a key and
// shows it once; later ones go on with it.
func (s *server) containerKey() error {
	if !s.container || hasKeys(s.cfg) {
		return nil
	}
	key, fresh, err := storedKey(s.cfg.Data)
	if err != nil {
		return fmt.Errorf("keep the container's key: %w", err)
	}
	if fresh {
		s.key = key
	}
	give(s.cfg, key)
	return nil
}

// keyFrom gives a configuration that was read again the same key.
func (s *server) keyFrom(cfg *config.Config) {
	if !s.container || hasKeys(cfg) {
		return
	}
	if key, _, err := storedKey(cfg.Data); err == nil {
		give(cfg, key)
	}
}

func hasKeys(cfg *config.Config) bool { return len(cfg.Auth.Publish) > 0 || cfg.Auth.API.Token != "" }

func give(cfg *config.Config, key string) {
	cfg.Auth.Publish = []config.PublishRule{{Path: "*", Key: key}}
	cfg.Auth.API.Token = key
}

// storedKey reads the key of a data folder, or makes it.
func storedKey(folder string) (key string, fresh bool, err error) {
	file := filepath.Join(folder, keyFile)
	b, err := os.ReadFile(file)
	if key = strings.TrimSpace(string(b)); err == nil && key != "" {
		return key, false, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", false, err
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return "", false, err
	}
	key = rand.Text()
	// Written beside and renamed, so that a key is whole or not there.
	beside := file + ".new"
	if err := os.WriteFile(beside, []byte(key+"\n"), 0o600); err != nil {
		return "", false, err
	}
	if err := os.Rename(beside, file); err != nil {
		return "", false, err
	}
	return key, true, nil
}
