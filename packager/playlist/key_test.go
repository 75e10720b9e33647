package playlist

import (
	"reflect"
	"testing"
)

func TestKeysInForce(t *testing.T) {
	segments, sections := media["protected"].Keys()
	uris := func(list []InForce) (out [][]string) {
		for _, f := range list {
			var at []string
			for _, k := range f {
				at = append(at, k.URI)
			}
			out = append(out, at)
		}
		return out
	}
	other := "https://keys.example.org/3"
	if got, want := uris(segments), [][]string{{"../1.key"}, {"../2.key"}, {"../2.key"}, {"../3.key", other}, {other, "../4.key"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("segments have %q, want %q", got, want)
	}
	if got, want := uris(sections), [][]string{nil, {"../1.key"}, nil, {"../3.key", other}, {"../3.key", other}}; !reflect.DeepEqual(got, want) {
		t.Errorf("sections have %q, want %q", got, want)
	}
	if k := segments[3].Identity(); k == nil || k.URI != "../3.key" {
		t.Errorf("the identity key is %+v", k)
	}
	if k := segments[0].After([]Key{{Method: MethodNone}}).Identity(); k != nil {
		t.Errorf("behind NONE there is %+v", k)
	}
}

func TestIVOf(t *testing.T) {
	if got, want := (&Key{}).IVOf(0x0102030405060708), [16]byte{8: 1, 2, 3, 4, 5, 6, 7, 8}; got != want {
		t.Errorf("by its number: %x, want %x", got, want)
	}
	iv := [16]byte{9}
	if got := (&Key{IV: &iv}).IVOf(7); got != iv {
		t.Errorf("by its attribute: %x", got)
	}
}

func TestReadIV(t *testing.T) {
	for text, want := range map[string][16]byte{
		"0x1":                                {15: 1},
		"0XabC":                              {14: 0x0a, 0xbc},
		"0x0102030405060708090a0b0c0d0e0f10": {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
	} {
		if got, err := readIV(text); err != nil || got != want {
			t.Errorf("%s is %x, %v", text, got, err)
		}
	}
}
