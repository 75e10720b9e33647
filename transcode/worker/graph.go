package worker

import (
	"context"
	"fmt"
	"slices"

	"github.com/millrace/millrace/transcode/libav"
	"github.com/millrace/millrace/transcode/wire"
)

// line is one goroutine of a graph.
type line interface{ run(context.Context) error }

// chains is a graph made ready to run.
type chains struct {
	lines   []line
	sources map[int][]*feed // by source track
	count   *counters
}

// feed is where the packets of a source track go.
type feed struct {
	in   queue   // of a decode line
	copy *output // or straight out
}

// builder turns a graph into chains.
type builder struct {
	job    *wire.Job
	sender outlet
	nodes  map[string]*wire.Node
	next   map[string][]string
	chains *chains
}

func build(job *wire.Job, s outlet) (*chains, error) {
	b := &builder{
		job: job, sender: s,
		nodes:  make(map[string]*wire.Node),
		next:   make(map[string][]string),
		chains: &chains{sources: make(map[int][]*feed), count: &counters{}},
	}
	for i := range job.Graph.Nodes {
		b.nodes[job.Graph.Nodes[i].ID] = &job.Graph.Nodes[i]
	}
	for _, l := range job.Graph.Links {
		b.next[l.From] = append(b.next[l.From], l.To)
	}
	for i := range job.Graph.Nodes {
		n := &job.Graph.Nodes[i]
		if n.Kind != wire.NodeSource {
			continue
		}
		for _, to := range b.next[n.ID] {
			f, err := b.feed(b.nodes[to])
			if err != nil {
				return nil, err
			}
			b.chains.sources[n.Track] = append(b.chains.sources[n.Track], f)
		}
	}
	return b.chains, nil
}

func (b *builder) feed(n *wire.Node) (*feed, error) {
	if n.Kind == wire.NodeOutput {
		return &feed{copy: b.output(n)}, nil
	}
	d := &decodeLine{
		node: n.ID, options: *n.Decode, live: b.job.Live, in: make(queue, packetQueue),
		count: b.chains.count, sender: b.sender,
	}
	for _, to := range b.next[n.ID] {
		q, err := b.coder(b.nodes[to], d)
		if err != nil {
			return nil, err
		}
		d.outs = append(d.outs, q)
	}
	b.chains.lines = append(b.chains.lines, d)
	return &feed{in: d.in}, nil
}

// coder builds the line from a shaping node through its encoder to its output.
func (b *builder) coder(n *wire.Node, d *decodeLine) (queue, error) {
	encode, err := b.only(n, wire.NodeEncode)
	if err != nil {
		return nil, err
	}
	out, err := b.only(encode, wire.NodeOutput)
	if err != nil {
		return nil, err
	}
	q := make(queue, frameQueue)
	switch n.Kind {
	case wire.NodePicture:
		d.deinterlace = d.deinterlace || n.Picture.Deinterlace
		r := &rung{node: encode.ID, picture: *n.Picture, encode: *encode.Encode, in: q, out: b.output(out)}
		if r.encode.Preset == "" {
			r.encode.Preset = defaultPreset
		}
		b.chains.lines = append(b.chains.lines, r)
	case wire.NodeSound:
		b.chains.lines = append(b.chains.lines, &sound{
			node: encode.ID, shape: *n.Sound, encode: *encode.Encode, live: b.job.Live, in: q, out: b.output(out),
		})
	default:
		return nil, unsupported(n)
	}
	return q, nil
}

// only is the one node that n feeds, which must be of a kind.
func (b *builder) only(n *wire.Node, kind wire.NodeKind) (*wire.Node, error) {
	to := b.next[n.ID]
	if len(to) != 1 || b.nodes[to[0]].Kind != kind {
		return nil, unsupported(n)
	}
	return b.nodes[to[0]], nil
}

func (b *builder) output(n *wire.Node) *output {
	o := &output{
		stream: len(b.chains.count.outputs), rendition: n.Rendition, sender: b.sender,
		count: &outputCounters{rendition: n.Rendition},
	}
	b.chains.count.outputs = append(b.chains.count.outputs, o.count)
	return o
}

func unsupported(n *wire.Node) error {
	return fault(n.ID, fmt.Errorf("a %s at this place of a graph: %w", n.Kind, libav.ErrUnsupported))
}

// tracks lists the source tracks in order, so that all goes the same way in
// every run.
func (c *chains) tracks() []int {
	ids := make([]int, 0, len(c.sources))
	for id := range c.sources {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
