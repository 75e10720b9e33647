package protect

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// openssl is the second opinion on every cipher.
func openssl(t *testing.T, in []byte, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("openssl", append([]string{"enc", "-aes-128-cbc"}, args...)...)
	cmd.Stdin = bytes.NewReader(in)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("openssl: %v: %s", err, said.String())
	}
	return out
}

// A segment is the same whatever pieces it comes in, and openssl reads it.
func TestStreamAgainstOpenSSL(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{0, 1, 15, 16, 17, 31, 32, 1000, 4096} {
		k, iv, plain := NewKey(), [16]byte{15: byte(size)}, make([]byte, size)
		for i := range plain {
			plain[i] = byte(random.Uint32())
		}
		kept := bytes.Clone(plain)
		s := k.NewStream(iv)
		var sealed []byte
		for rest := plain; len(rest) > 0; {
			n := 1 + random.IntN(len(rest))
			half := random.IntN(n + 1)
			sealed = s.Append(sealed, rest[:half], nil, rest[half:n])
			rest = rest[n:]
		}
		sealed = s.Finish(sealed)
		if !bytes.Equal(plain, kept) {
			t.Errorf("%d bytes: the input was altered", size)
		}
		if whole := k.Seal([]byte("x"), iv, plain); !bytes.Equal(whole[1:], sealed) {
			t.Errorf("%d bytes: at once it is something else than in pieces", size)
		}
		if got := openssl(t, sealed, "-d", "-K", hex.EncodeToString(k.Value[:]), "-iv", hex.EncodeToString(iv[:])); !bytes.Equal(got, plain) {
			t.Errorf("%d bytes: openssl reads something else", size)
		}
		got, err := k.Open(sealed, iv)
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes: it does not come back: %v", size, err)
		}
	}
}

// A state that was kept goes on as if nothing had been added since: the disk
// may refuse what is to be written again elsewhere.
func TestStreamGoesBack(t *testing.T) {
	k := NewKey()
	s := k.NewStream([16]byte{})
	first := s.Append(nil, []byte("seventeen letters"))
	kept := s
	_ = s.Append(nil, []byte("what the disk did not take"))
	s = kept
	sealed := s.Finish(s.Append(first, []byte("again")))
	if got, err := k.Open(sealed, [16]byte{}); err != nil || string(got) != "seventeen lettersagain" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	k := NewKey()
	sealed := k.Seal(nil, [16]byte{}, make([]byte, 100))
	for what, b := range map[string][]byte{"nothing": nil, "no whole block": sealed[:17], "cut off": bytes.Clone(sealed[:96])} {
		if _, err := k.Open(b, [16]byte{}); !errors.Is(err, ErrNotEncrypted) {
			t.Errorf("%s: %v", what, err)
		}
	}
	// One wrong key in 256 leaves what looks like padding.
	refused := 0
	for range 64 {
		if _, err := NewKey().Open(bytes.Clone(sealed), [16]byte{}); err != nil {
			refused++
		}
	}
	if refused < 50 {
		t.Errorf("%d of 64 wrong keys were noticed", refused)
	}
}

func TestReadValue(t *testing.T) {
	dir := t.TempDir()
	want := [16]byte{1, 2, 3, 15: 0xff}
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, content := range map[string]string{
		"raw": string(want[:]), "hex": hex.EncodeToString(want[:]), "line": hex.EncodeToString(want[:]) + "\r\n",
	} {
		if got, err := ReadValue(write(name, content)); err != nil || got != want {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
	for name, content := range map[string]string{"empty": "", "short": "0011", "long": strings.Repeat("ab", 40)} {
		_, err := ReadValue(write(name, content))
		if err == nil || content != "" && strings.Contains(err.Error(), content) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A key in a log line does not tell its value.
func TestKeyIsNotTold(t *testing.T) {
	k := NewKey()
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(format, k); s != "key "+k.Name() {
			t.Errorf("%s gives %s", format, s)
		}
	}
}
