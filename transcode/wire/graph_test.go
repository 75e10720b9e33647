package wire

import (
	"strings"
	"testing"

	"github.com/millrace/millrace/internal/media"
)

func TestGraphValidate(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(g *Graph)
		want   string // part of the error; empty means valid
	}{
		{"ladder", func(*Graph) {}, ""},
		{"copy", func(g *Graph) {
			*g = Graph{
				Nodes: []Node{{ID: "a", Kind: NodeSource}, {ID: "b", Kind: NodeOutput, Rendition: "x"}},
				Links: []Link{{"a", "b"}},
			}
		}, ""},
		{"filter with two inputs", func(g *Graph) {
			g.Nodes = append(g.Nodes, Node{ID: "f", Kind: NodeFilter, Filter: &Filter{Name: "overlay"}},
				Node{ID: "in2", Kind: NodeSource, Track: 2}, Node{ID: "dec2", Kind: NodeDecode, Decode: &Decode{}})
			g.Links = []Link{{"in", "dec"}, {"in2", "dec2"}, {"dec", "f"}, {"dec2", "f"}, {"f", "pic"}, {"pic", "enc"}, {"enc", "out"}}
		}, ""},
		{"empty", func(g *Graph) { *g = Graph{} }, "no nodes"},
		{"too many", func(g *Graph) { g.Nodes = make([]Node, MaxNodes+1) }, "at most"},
		{"no id", func(g *Graph) { g.Nodes[2].ID = "" }, "no usable id"},
		{"doubled id", func(g *Graph) { g.Nodes[2].ID = "dec" }, "appears twice"},
		{"doubled rendition", func(g *Graph) {
			g.Nodes = append(g.Nodes, Node{ID: "out2", Kind: NodeOutput, Rendition: "360p"})
		}, "appears twice"},
		{"no output", func(g *Graph) { g.Nodes = g.Nodes[:4]; g.Links = g.Links[:3] }, "no output"},
		{"unknown kind", func(g *Graph) { g.Nodes[0].Kind = "magic" }, "unknown kind"},
		{"options missing", func(g *Graph) { g.Nodes[1].Decode = nil }, "without its options"},
		{"options of another", func(g *Graph) { g.Nodes[0].Encode = &Encode{Codec: media.H264} }, "options of a"},
		{"link to nowhere", func(g *Graph) { g.Links[0].To = "x" }, "no such node"},
		{"doubled link", func(g *Graph) { g.Links = append(g.Links, g.Links[0]) }, "appears twice"},
		{"kinds do not fit", func(g *Graph) { g.Links[0] = Link{"in", "enc"} }, "does not feed"},
		{"no input", func(g *Graph) { g.Nodes, g.Links = g.Nodes[1:], g.Links[1:] }, "no input"},
		{"two inputs", func(g *Graph) {
			g.Nodes = append(g.Nodes, Node{ID: "in2", Kind: NodeSource, Track: 2})
			g.Links = append(g.Links, Link{"in2", "dec"})
		}, "2 inputs"},
		{"feeds nothing", func(g *Graph) { g.Nodes = append(g.Nodes, Node{ID: "in2", Kind: NodeSource}) }, "feeds nothing"},
		{"cycle", func(g *Graph) {
			g.Nodes = append(g.Nodes, Node{ID: "f", Kind: NodeFilter, Filter: &Filter{Name: "a"}}, Node{ID: "h", Kind: NodeFilter, Filter: &Filter{Name: "b"}})
			g.Links = append(g.Links, Link{"f", "h"}, Link{"h", "f"})
		}, "cycle"},
		{"odd size", func(g *Graph) { g.Nodes[2].Picture.Width = 641 }, "641x360"},
		{"endless size", func(g *Graph) { g.Nodes[2].Picture.Height = MaxSide + 2 }, "16386"},
		{"frame rate", func(g *Graph) { g.Nodes[2].Picture.FPS = media.Rational{Num: -1, Den: 1} }, "frame rate"},
		{"no codec", func(g *Graph) { g.Nodes[3].Encode.Codec = "" }, "codec"},
		{"negative bitrate", func(g *Graph) { g.Nodes[3].Encode.Bitrate = -1 }, "negative"},
		{"sound", func(g *Graph) {
			g.Nodes[2] = Node{ID: "pic", Kind: NodeSound, Sound: &Sound{SampleRate: 48000}}
		}, "0 channels"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := sampleGraph()
			c.change(&g)
			err := g.Validate()
			switch {
			case c.want == "" && err != nil:
				t.Fatal(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Fatalf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestTracks(t *testing.T) {
	var ts Tracks
	announce := func(stream, revision int, rendition string) error {
		tr := sampleTrack()
		tr.Revision = revision
		return ts.Announce(&Track{Stream: stream, Rendition: rendition, Track: tr})
	}
	resolve := func(stream, revision int) (string, error) {
		p := samplePacket(nil)
		p.Stream, p.Revision = stream, revision
		return ts.Resolve(p)
	}
	if _, err := resolve(1, 0); err == nil {
		t.Error("an unknown stream was resolved")
	}
	if err := announce(1, 0, "720p"); err != nil {
		t.Fatal(err)
	}
	if name, err := resolve(1, 0); err != nil || name != "720p" {
		t.Errorf("%q, %v", name, err)
	}
	if _, err := resolve(1, 1); err == nil {
		t.Error("an unknown revision was resolved")
	}
	if err := announce(1, 1, "720p"); err != nil {
		t.Fatal(err)
	}
	if _, err := resolve(1, 0); err == nil {
		t.Error("an old revision was resolved")
	}
	if err := announce(1, 0, "720p"); err == nil {
		t.Error("a revision went back")
	}
	if err := announce(1, 2, "480p"); err == nil {
		t.Error("a stream changed its rendition")
	}
	for i := 2; i <= maxStreams; i++ {
		if err := announce(i, 0, "x"); err != nil {
			t.Fatal(err)
		}
	}
	if err := announce(maxStreams+1, 0, "x"); err == nil {
		t.Error("streams without end")
	}
	if n := len(ts.All()); n != maxStreams {
		t.Errorf("%d tracks", n)
	}
}
