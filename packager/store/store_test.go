package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// descriptors counts the open descriptors of this process that lead to media.
func descriptors(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range entries {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && strings.Contains(to, ".m4s") {
			n++
		}
	}
	return n
}

// stores runs a test with each kind of store and checks that it leaks nothing.
func stores(t *testing.T, f func(t *testing.T, s Store)) {
	disk, err := NewDisk(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]Store{"memory": Memory{}, "disk": disk} {
		t.Run(name, func(t *testing.T) {
			before := descriptors(t)
			f(t, s)
			if n := descriptors(t) - before; n != 0 {
				t.Errorf("%d descriptors leaked", n)
			}
			if s == Store(disk) {
				left, _ := filepath.Glob(filepath.Join(disk.dir, "*", "*"))
				hidden, _ := filepath.Glob(filepath.Join(disk.dir, "*", ".*"))
				if left = append(left, hidden...); len(left) > 0 {
					t.Errorf("files left: %v", left)
				}
			}
		})
	}
}

func create(t testing.TB, s Store, parts ...string) *File {
	t.Helper()
	f, err := s.Create("720p/1.m4s")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		if _, err := f.Append([]byte(p)); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func read(t testing.TB, f *File) string {
	t.Helper()
	r, err := f.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAppendAndRead(t *testing.T) {
	stores(t, func(t *testing.T, s Store) {
		f := create(t, s)
		if off, err := f.Append([]byte("ab"), nil, []byte("c")); off != 0 || err != nil {
			t.Fatal(off, err)
		}
		if got := read(t, f); got != "abc" {
			t.Errorf("in production: %q", got)
		}
		if off, err := f.Append([]byte("def")); off != 3 || err != nil {
			t.Fatal(off, err)
		}
		var many [][]byte
		want := "abcdef"
		for i := range 3000 { // more than one system call takes
			many = append(many, fmt.Append(nil, i))
			want += fmt.Sprint(i)
		}
		if _, err := f.Append(many...); err != nil {
			t.Fatal(err)
		}
		for i, b := range many {
			if string(b) != fmt.Sprint(i) {
				t.Fatalf("the list was altered: element %d is %q", i, b)
			}
		}
		if err := f.Finish(); err != nil {
			t.Fatal(err)
		}
		if got := read(t, f); got != want || f.Size() != int64(len(want)) {
			t.Errorf("finished: %d bytes, want %d", len(got), len(want))
		}
		if _, err := f.Append([]byte("x")); !errors.Is(err, ErrFinished) {
			t.Errorf("append after finish: %v", err)
		}
		f.Remove()
		f.Remove()
		if _, err := f.Open(); !errors.Is(err, ErrRemoved) {
			t.Errorf("open after remove: %v", err)
		}
	})
}

func TestRemoveWhileRead(t *testing.T) {
	stores(t, func(t *testing.T, s Store) {
		f := create(t, s, "hello")
		if err := f.Finish(); err != nil {
			t.Fatal(err)
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		f.Remove()
		if _, err := r.Seek(1, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(r); string(b) != "ello" || err != nil {
			t.Errorf("%q, %v", b, err)
		}
		r.Release()
		r.Release()
	})
}

func TestRemoveUnfinished(t *testing.T) {
	stores(t, func(t *testing.T, s Store) {
		f := create(t, s, "half")
		f.Remove()
		if err := f.Finish(); !errors.Is(err, ErrRemoved) {
			t.Errorf("finish: %v", err)
		}
		if _, err := f.Append([]byte("x")); !errors.Is(err, ErrRemoved) {
			t.Errorf("append: %v", err)
		}
	})
}

// The descriptor that an append uses stays open until it is done.
func TestRemoveDuringAppend(t *testing.T) {
	stores(t, func(t *testing.T, s Store) {
		f := create(t, s, "x")
		fd, err := f.hold()
		if err != nil {
			t.Fatal(err)
		}
		f.Remove()
		var st syscall.Stat_t
		if err := syscall.Fstat(fd, &st); err != nil {
			t.Errorf("during the append: %v", err)
		}
		f.drop()
		if err := syscall.Fstat(fd, &st); !errors.Is(err, syscall.EBADF) {
			t.Errorf("after the append: %v", err)
		}
	})
}

func TestManyReaders(t *testing.T) {
	stores(t, func(t *testing.T, s Store) {
		want := strings.Repeat("0123456789abcdef", 1<<12)
		f := create(t, s, want)
		if err := f.Finish(); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				for range 20 {
					r, err := f.Open()
					if errors.Is(err, ErrRemoved) {
						return
					}
					if err != nil {
						t.Error(err)
						return
					}
					_, _ = r.Seek(0, io.SeekStart)
					if b, err := io.ReadAll(r); err != nil || string(b) != want {
						t.Errorf("%d bytes, %v", len(b), err)
					}
					r.Release()
				}
			})
		}
		f.Remove()
		wg.Wait()
	})
}

// counted tells how much of a file went through this process.
type counted struct {
	*Reader
	n int
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.n += n
	return n, err
}

func TestSendfile(t *testing.T) {
	stores(t, func(t *testing.T, s Store) {
		f := create(t, s, strings.Repeat("x", 1<<20))
		defer f.Remove()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		got := make(chan int64, 1)
		go func() {
			c, err := l.Accept()
			if err != nil {
				got <- 0
				return
			}
			defer c.Close()
			n, _ := io.Copy(io.Discard, c)
			got <- n
		}()
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Release()
		_, _ = r.Seek(0, io.SeekStart)
		src := &counted{Reader: r}
		if _, err := io.CopyN(c, src, r.Size()); err != nil {
			t.Fatal(err)
		}
		c.Close()
		if n := <-got; n != 1<<20 || src.n != 0 {
			t.Errorf("%d bytes arrived, %d of them through this process", n, src.n)
		}
	})
}

func TestFullDisk(t *testing.T) {
	d, err := NewDisk(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(d.dir, "720p"), 0o755); err != nil {
		t.Fatal(err)
	}
	// The hidden name leads to a device that is always full.
	if err := os.Symlink("/dev/full", filepath.Join(d.dir, "720p", ".1.m4s.part")); err != nil {
		t.Fatal(err)
	}
	f := create(t, d)
	defer f.Remove()
	if _, err := f.Append([]byte("x")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v, want no space left on device", err)
	}
}

func TestBadNames(t *testing.T) {
	d, err := NewDisk(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"../x", "/etc/x", "a/../../x", ""} {
		if f, err := d.Create(name); err == nil {
			f.Remove()
			t.Errorf("%q was created", name)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	payload := bytes.Repeat([]byte("x"), 10_000)
	list := make([][]byte, 16)
	b.SetBytes(160_000)
	b.ReportAllocs()
	for b.Loop() {
		f := create(b, Memory{})
		for i := range list {
			list[i] = payload
		}
		if _, err := f.Append(list...); err != nil {
			b.Fatal(err)
		}
		f.Remove()
	}
}

func BenchmarkOpen(b *testing.B) {
	f := create(b, Memory{}, "hello")
	defer f.Remove()
	for _, n := range []int{1, maxIdle + 4} {
		b.Run(fmt.Sprintf("%d at once", n), func(b *testing.B) {
			rs := make([]*Reader, n)
			for b.Loop() {
				for i := range rs {
					var err error
					if rs[i], err = f.Open(); err != nil {
						b.Fatal(err)
					}
				}
				for _, r := range rs {
					r.Release()
				}
			}
		})
	}
}

func waitGone(t *testing.T, path string) {
	t.Helper()
	for deadline := time.Now().Add(time.Second); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is still there", path)
		}
	}
}
