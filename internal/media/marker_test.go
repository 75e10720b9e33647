package media

import (
	"errors"
	"strings"
	"testing"
)

func TestMarkerCheck(t *testing.T) {
	id3 := []byte("ID3\x04\x00\x00\x00\x00\x00\x00")
	for _, c := range []struct {
		name string
		m    Marker
		want string // of the error; empty: none
	}{
		{"instant", Marker{Kind: DateRange, ID: "goal-1"}, ""},
		{"break", Marker{Kind: DateRange, ID: "1", Class: "ad", Duration: -1, Planned: 30e9, Out: []byte{0xfc}}, ""},
		{"attributes", Marker{Kind: DateRange, ID: "1", Attributes: map[string]any{"X-A": "b c", "X-N": 1.5, "X-B": []byte{1}}}, ""},
		{"metadata", Marker{Kind: Metadata, ID3: id3}, ""},
		{"no kind", Marker{ID: "1"}, "no kind"},
		{"no id", Marker{Kind: DateRange}, "no id"},
		{"quote", Marker{Kind: DateRange, ID: `a"b`}, "id: quotation"},
		{"line", Marker{Kind: DateRange, ID: "a", Class: "b\nc"}, "class: quotation"},
		{"tab", Marker{Kind: DateRange, ID: "a\tb"}, "id: quotation"}, // RECENTLY-REMOVED-DATERANGES is delimited by it
		{"long", Marker{Kind: DateRange, ID: strings.Repeat("a", 256)}, "id: 256 bytes"},
		{"name", Marker{Kind: DateRange, ID: "1", Attributes: map[string]any{"X-a": "b"}}, `attribute "X-a"`},
		{"foreign name", Marker{Kind: DateRange, ID: "1", Attributes: map[string]any{"DURATION": "b"}}, `attribute "DURATION"`},
		{"value", Marker{Kind: DateRange, ID: "1", Attributes: map[string]any{"X-A": true}}, "bool"},
		{"end on next", Marker{Kind: DateRange, ID: "1", Duration: -1, EndOnNext: true}, "needs a class"},
		{"end on next and duration", Marker{Kind: DateRange, ID: "1", Class: "c", EndOnNext: true}, "no duration"},
		{"for ever", Marker{Kind: DateRange, ID: "1", Duration: 1 << 62}, "a year"},
		{"splice", Marker{Kind: DateRange, ID: "1", In: make([]byte, 5000)}, "splice_info_section"},
		{"no tag", Marker{Kind: Metadata, ID3: []byte("ID4\x04\x00\x00\x00\x00\x00\x00")}, "no ID3v2"},
	} {
		switch err := c.m.Check(); {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || !errors.Is(err, ErrMarker)):
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}
