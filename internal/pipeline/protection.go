package pipeline

import (
	"fmt"
	"strings"

	"github.com/millrace/millrace/internal/config"
	"github.com/millrace/millrace/packager"
	"github.com/millrace/millrace/packager/protect"
)

// licensed reports whether packager.LicenseFile may be a name below a stream's
// URL: its MPD says where licenses are.
func licensed(e config.Encryption) bool { return e.Method == "cbcs" }

// protection is how a stream's media is encrypted; nil for not at all. The
// error says why it cannot be: such a stream is not to be shown in the clear.
func protection(e config.Encryption, path string) (*packager.Protection, error) {
	if e.Method == "" || e.Method == "none" {
		return nil, nil //nolint:nilnil // not at all
	}
	p := &packager.Protection{
		Method: protect.Method(e.Method), Rotate: e.Rotate,
		URI: strings.ReplaceAll(e.URI, "{path}", path), Format: e.Format, Versions: e.Versions,
	}
	if e.Key == "" && e.KeyFile == "" {
		return p, nil
	}
	p.Key = protect.NewKey()
	var err error
	if e.KeyFile != "" {
		p.Key.Value, err = protect.ReadValue(e.KeyFile)
	} else {
		p.Key.Value, err = protect.Parse128(e.Key)
	}
	if err != nil {
		return nil, fmt.Errorf("the stream has to be encrypted: %w", err)
	}
	if e.ID != "" {
		if p.Key.ID, err = protect.Parse128(e.ID); err != nil {
			return nil, fmt.Errorf("the stream has to be encrypted: name of the key: %w", err)
		}
	}
	return p, nil
}
