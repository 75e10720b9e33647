package child

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestClassify(t *testing.T) {
	run := func(script string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", script)
		_ = cmd.Run()
		return cmd
	}
	refuses := func(code int) (Outcome, string) {
		if code == 5 {
			return Refused, "the input was refused"
		}
		return plainly(code)
	}
	for _, c := range []struct {
		name, script string
		cause        error
		said         *Sentence
		printed      string
		outcome      Outcome
		want         string
	}{
		{"done", "exit 0", nil, nil, "", Finished, ""},
		{"C fault", "exit 2", nil, nil, "warning\nSIGSEGV: segmentation violation\ngoroutine 1", Crashed, "exit status 2: SIGSEGV: segmentation violation"},
		{"killed", "kill -9 $$", nil, nil, "", Killed, "signal: killed"},
		{"fault on a thread of C's", "kill -SEGV $$", nil, nil, "", Crashed, "segmentation fault"},
		{"aborted", "kill -ABRT $$", nil, nil, "", Crashed, "aborted"},
		{"terminated", "kill -TERM $$", nil, nil, "", Killed, "terminated"},
		{"our sentence comes first", "kill -9 $$", &Sentence{OutOfMemory, "too fat"}, &Sentence{Refused, "bad"}, "", OutOfMemory, "too fat"},
		{"another cause does not count", "exit 5", errors.New("canceled"), nil, "", Refused, "input"},
		{"its own words", "exit 5", nil, &Sentence{Refused, "decode-0: no picture"}, "", Refused, "decode-0: no picture"},
		{"first line", "exit 9", nil, nil, "\n  something\nelse", Crashed, "exit status 9: something"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := classify(1, c.cause, c.said, run(c.script).ProcessState, refuses, c.printed)
			if d.Outcome != c.outcome || !strings.Contains(d.Reason, c.want) {
				t.Errorf("%+v", d)
			}
		})
	}
}

func TestPrinted(t *testing.T) {
	for _, chunk := range []int{1, 7, 1000, 10_000, 100_000} {
		var text bytes.Buffer
		for i := range 40_000 {
			text.WriteByte(byte('a' + i%26))
		}
		all := text.String()
		p := new(printed)
		for text.Len() > 0 {
			if n, err := p.Write(text.Next(chunk)); n == 0 || err != nil {
				t.Fatal(n, err)
			}
		}
		got := p.String()
		if !strings.HasPrefix(got, all[:keptHead]) || !strings.HasSuffix(got, all[len(all)-keptTail:]) || len(got) > keptHead+keptTail+10 {
			t.Errorf("in chunks of %d: kept %d bytes", chunk, len(got))
		}
		if p.skipped != len(all)-keptHead-keptTail {
			t.Errorf("in chunks of %d: skipped %d", chunk, p.skipped)
		}
	}
	p := new(printed)
	_, _ = p.Write([]byte("short"))
	if p.String() != "short" {
		t.Error(p.String())
	}
}

func TestUsage(t *testing.T) {
	u, ok := usageOf(os.Getpid())
	if !ok {
		t.Skip("no /proc here")
	}
	if u.RSS < 1<<20 || u.RSS > 1<<36 {
		t.Errorf("%d bytes resident", u.RSS)
	}
	if _, ok := usageOf(1 << 30); ok {
		t.Error("a process that is not there uses something")
	}
}

func TestBudgetSpends(t *testing.T) {
	b := Budget{Pause: 100 * time.Millisecond}
	now := time.Duration(0)
	for i, want := range []time.Duration{100, 400, 1600, 6400, 10000} {
		now += 10 * time.Second
		if got, ok := b.Spend(now); !ok || got != want*time.Millisecond {
			t.Errorf("death %d: %s, %t", i+1, got, ok)
		}
	}
	if _, ok := b.Spend(now + time.Second); ok {
		t.Error("a sixth death is paid for")
	}
	if got, ok := b.Spend(now + 10*time.Minute); !ok || got != 100*time.Millisecond {
		t.Errorf("after a calm: %s, %t", got, ok)
	}
}
