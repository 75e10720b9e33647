package fmp4

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
)

func TestEvents(t *testing.T) {
	first := Event{Scheme: SchemeID3, Timescale: 90000, Time: 1 << 33, ID: 7, Message: []byte("ID3")}
	second := Event{Scheme: "urn:x", Value: "1", Timescale: 48000, Time: 5, ID: 8, Message: []byte{}}
	b := AppendEvent(AppendEvent(nil, first), second)
	want := "\x00\x00\x00\x41emsg\x01\x00\x00\x00\x00\x01\x5f\x90\x00\x00\x00\x02\x00\x00\x00\x00\xff\xff\xff\xff\x00\x00\x00\x07" + SchemeID3 + "\x00\x00ID3"
	if got := string(b[:len(want)]); got != want {
		t.Errorf("wrote %q, want %q", got, want)
	}
	if events, err := ReadEvents(b); err != nil || !reflect.DeepEqual(events, []Event{first, second}) {
		t.Errorf("read back %+v, %v", events, err)
	}
	// They stand before a fragment, and nobody who looks for that minds.
	b = append(AppendFragment(b, 1, 2, []Sample{{3000, 0, true, []byte("I")}}), 'I')
	if fs, err := ReadFragments(b); err != nil || len(fs) != 1 || string(fs[0].Samples[0].Payload) != "I" {
		t.Errorf("the fragment behind them: %+v, %v", fs, err)
	}
	for _, broken := range []string{"\x00\x00\x00\x0cemsg\x01\x00\x00\x00", "\x00\x00\x00\x22emsg\x01" + string(make([]byte, 23)) + "no end"} {
		if events, err := ReadEvents([]byte(broken)); !errors.Is(err, ErrBroken) {
			t.Errorf("%q gave %+v, %v", broken, events, err)
		}
	}
	if events, err := ReadEvents([]byte("\x00\x00\x00\x0cemsg\x00\x00\x00\x00")); err != nil || len(events) > 0 {
		t.Errorf("version 0 gave %+v, %v", events, err)
	}
}

func FuzzReadEvents(f *testing.F) {
	f.Add(AppendEvent(nil, Event{Scheme: SchemeID3, Timescale: 90000, Time: 5, ID: 7, Message: []byte("ID3")}))
	f.Fuzz(func(t *testing.T, b []byte) {
		events, err := ReadEvents(b)
		if err != nil {
			return
		}
		var again []byte
		for _, e := range events {
			again = AppendEvent(again, e)
		}
		back, err := ReadEvents(again)
		if err != nil || len(back) != len(events) {
			t.Fatalf("%+v reads back as %+v, %v", events, back, err)
		}
		for i := range back {
			if back[i].ID != events[i].ID || back[i].Scheme != events[i].Scheme || !bytes.Equal(back[i].Message, events[i].Message) {
				t.Fatalf("%+v reads back as %+v", events[i], back[i])
			}
		}
	})
}
