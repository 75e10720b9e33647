package fmp4

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/millrace/millrace/internal/media"
)

func TestProtectInit(t *testing.T) {
	for _, track := range []*media.Track{video(t), audio()} {
		plain, err := Init(track, Bitrates{Max: 1000})
		if err != nil {
			t.Fatal(err)
		}
		p := Protection{KID: [16]byte{1, 15: 2}, IV: [16]byte{3, 15: 4}}
		if track.Kind == media.Video {
			p.Crypt, p.Skip = 1, 9
		}
		protected, err := Protect(plain, p)
		if err != nil {
			t.Fatal(err)
		}
		h, err := ReadInit(protected)
		if err != nil || h.Protection == nil || *h.Protection != p || h.Scheme != "cbcs" {
			t.Fatalf("%s reads back as %+v, %v", track.Codec, h, err)
		}
		was, err := ReadInit(plain)
		if err != nil || h.Entry != was.Entry || h.Width != was.Width || h.Channels != was.Channels || !bytes.Equal(h.Boxes[0].Body, was.Boxes[0].Body) {
			t.Errorf("%s is now %+v, %v", track.Codec, h, err)
		}
		if !bytes.Contains(protected, p.KID[:]) || bytes.Contains(protected, []byte(was.Entry+"\x00\x00\x00\x00")) {
			t.Error("the sample entry has its old name")
		}
		if again, err := Unprotect(protected); err != nil || !bytes.Equal(again, plain) {
			t.Errorf("%s does not come back: %v", track.Codec, err)
		}
		if same, err := Unprotect(plain); err != nil || !bytes.Equal(same, plain) {
			t.Errorf("what is in the clear was altered: %v", err)
		}
		if _, err := Protect(protected, p); err == nil {
			t.Error("it can be protected twice")
		}
	}
}

func TestProtectedFragment(t *testing.T) {
	samples := []Sample{{Duration: 10, Key: true, Payload: make([]byte, 100)}, {Duration: 10, Payload: make([]byte, 70000)}}
	pieces := [][]Subsample{{{20, 80}}, {{0xffff, 0}, {10, 4455}}}
	b := AppendProtected(nil, 7, 1000, samples, pieces)
	aux := bytes.Index(b, []byte("senc"))
	for _, s := range samples {
		b = append(b, s.Payload...)
	}
	fs, err := ReadFragments(b)
	if err != nil || len(fs) != 1 || !reflect.DeepEqual(fs[0].Subsamples, pieces) || len(fs[0].Samples[1].Payload) != 70000 {
		t.Fatalf("reads back as %+v, %v", fs, err)
	}
	saio := bytes.Index(b, []byte("saio"))
	// From the moof, at 0, to what follows the count of senc.
	if got := int(be.Uint32(b[saio+12:])); got != aux+12 {
		t.Errorf("saio says %d, the entries are at %d", got, aux+12)
	}
	saiz := bytes.Index(b, []byte("saiz"))
	if sizes := b[saiz+13 : saiz+15]; sizes[0] != 8 || sizes[1] != 14 {
		t.Errorf("saiz says %v", sizes)
	}
	for cut := range aux + 40 {
		if _, err := ReadFragments(b[:cut]); err == nil && cut > 0 {
			t.Fatalf("%d bytes are taken for whole", cut)
		}
	}
}
