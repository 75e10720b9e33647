package id3

import (
	"bytes"
	"reflect"
	"testing"
)

func TestTag(t *testing.T) {
	text, err := Text("title", "Größe")
	if err != nil {
		t.Fatal(err)
	}
	data, err := Private("example.org", bytes.Repeat([]byte{0xff, 0}, 100))
	if err != nil {
		t.Fatal(err)
	}
	tag := Tag(text, data)
	want := "ID3\x04\x00\x00\x00\x00\x01\x77" + "TXXX\x00\x00\x00\x0f\x00\x00\x03title\x00Größe\x00" + "PRIV\x00\x00\x01\x54\x00\x00example.org\x00"
	if !bytes.HasPrefix(tag, []byte(want)) || len(tag) != 257 {
		t.Errorf("%d bytes: %q\nwant %q", len(tag), tag, want)
	}
	frames, err := Read(tag)
	if err != nil || !reflect.DeepEqual(frames, []Frame{text, data}) {
		t.Errorf("reads back as %+v, %v", frames, err)
	}
	if name, value, ok := frames[0].Text(); name != "title" || value != "Größe" || !ok {
		t.Errorf("text %q %q %v", name, value, ok)
	}
	for _, err := range []error{second(Text("a\x00", "b")), second(Text("a", "\x00")), second(Private("", nil)), second(Private("日", nil))} {
		if err == nil {
			t.Error("what cannot be written was")
		}
	}
}

func second(_ Frame, err error) error { return err }

func TestBroken(t *testing.T) {
	text, _ := Text("a", "b")
	tag := Tag(text)
	for n := range tag {
		if frames, err := Read(tag[:n]); err == nil {
			t.Errorf("the first %d bytes give %+v", n, frames)
		}
	}
	tag[6] = 0x80
	if _, err := Read(tag); err == nil {
		t.Error("a size with its eighth bit")
	}
}

func FuzzRead(f *testing.F) {
	text, _ := Text("title", "x")
	data, _ := Private("o", []byte{0})
	f.Add(Tag(text, data))
	f.Add(Tag())
	f.Fuzz(func(t *testing.T, b []byte) {
		frames, err := Read(b)
		if err != nil {
			return
		}
		for _, frame := range frames {
			frame.Text()
		}
		again, err := Read(Tag(frames...))
		if err != nil || !reflect.DeepEqual(again, frames) {
			t.Fatalf("%+v reads back as %+v, %v", frames, again, err)
		}
	})
}
