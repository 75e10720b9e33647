package wire

import (
	"errors"
	"fmt"
)

// Bounds of a graph.
const (
	MaxNodes = 128
	MaxName  = 64    // of node IDs and renditions
	MaxSide  = 16384 // width and height
)

// Validate reports the first thing that keeps the graph from being run: names
// that are missing or doubled, links to nowhere or between kinds that do not
// fit, cycles, nodes without input, options of the wrong kind. Whether the
// libraries have a codec or filter is not its business.
func (g *Graph) Validate() error {
	if len(g.Nodes) == 0 {
		return errors.New("graph has no nodes")
	}
	if len(g.Nodes) > MaxNodes || len(g.Links) > 2*MaxNodes {
		return fmt.Errorf("graph has %d nodes and %d links, at most %d and %d are run",
			len(g.Nodes), len(g.Links), MaxNodes, 2*MaxNodes)
	}
	nodes := make(map[string]*Node, len(g.Nodes))
	renditions := make(map[string]bool)
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if n.ID == "" || len(n.ID) > MaxName {
			return fmt.Errorf("node %d has no usable id", i)
		}
		if nodes[n.ID] != nil {
			return fmt.Errorf("node %q appears twice", n.ID)
		}
		nodes[n.ID] = n
		if err := n.validate(); err != nil {
			return fmt.Errorf("node %q: %w", n.ID, err)
		}
		if n.Kind == NodeOutput {
			if renditions[n.Rendition] {
				return fmt.Errorf("node %q: rendition %q appears twice", n.ID, n.Rendition)
			}
			renditions[n.Rendition] = true
		}
	}
	if len(renditions) == 0 {
		return errors.New("graph has no output")
	}
	return g.validateLinks(nodes)
}

func (g *Graph) validateLinks(nodes map[string]*Node) error {
	inputs := make(map[string]int, len(nodes))
	out := make(map[string][]string, len(nodes))
	seen := make(map[Link]bool, len(g.Links))
	for _, l := range g.Links {
		from, to := nodes[l.From], nodes[l.To]
		if from == nil || to == nil {
			return fmt.Errorf("link from %q to %q: no such node", l.From, l.To)
		}
		if seen[l] {
			return fmt.Errorf("link from %q to %q appears twice", l.From, l.To)
		}
		seen[l] = true
		if !fits(from.Kind, to.Kind) {
			return fmt.Errorf("link from %q to %q: a %s does not feed a %s", l.From, l.To, from.Kind, to.Kind)
		}
		inputs[l.To]++
		out[l.From] = append(out[l.From], l.To)
	}
	for _, n := range g.Nodes {
		switch in := inputs[n.ID]; {
		case n.Kind != NodeSource && in == 0:
			return fmt.Errorf("node %q has no input", n.ID)
		case n.Kind != NodeFilter && in > 1:
			return fmt.Errorf("node %q has %d inputs, a %s takes one", n.ID, in, n.Kind)
		case n.Kind != NodeOutput && len(out[n.ID]) == 0:
			return fmt.Errorf("node %q feeds nothing", n.ID)
		}
	}
	// Kahn: take away nodes without unmet inputs; what is left is a cycle.
	var ready []string
	for _, n := range g.Nodes {
		if inputs[n.ID] == 0 {
			ready = append(ready, n.ID)
		}
	}
	taken := 0
	for ; taken < len(ready); taken++ {
		for _, to := range out[ready[taken]] {
			if inputs[to]--; inputs[to] == 0 {
				ready = append(ready, to)
			}
		}
	}
	if taken != len(g.Nodes) {
		return errors.New("graph has a cycle")
	}
	return nil
}

func fits(from, to NodeKind) bool {
	switch from {
	case NodeSource:
		return to == NodeDecode || to == NodeOutput
	case NodeEncode:
		return to == NodeOutput
	case NodeDecode, NodePicture, NodeSound, NodeFilter:
		return to == NodePicture || to == NodeSound || to == NodeFilter || to == NodeEncode
	case NodeOutput:
	}
	return false
}

func (n *Node) validate() error {
	has := map[NodeKind]bool{
		NodeDecode: n.Decode != nil, NodePicture: n.Picture != nil, NodeSound: n.Sound != nil,
		NodeFilter: n.Filter != nil, NodeEncode: n.Encode != nil, NodeOutput: n.Rendition != "",
	}
	for kind, set := range has {
		if set && kind != n.Kind {
			return fmt.Errorf("a %s carries the options of a %s", n.Kind, kind)
		}
	}
	switch n.Kind {
	case NodeSource:
		return nil
	case NodeDecode, NodePicture, NodeSound, NodeFilter, NodeEncode, NodeOutput:
		if !has[n.Kind] {
			return fmt.Errorf("a %s without its options", n.Kind)
		}
	default:
		return fmt.Errorf("unknown kind %q", n.Kind)
	}
	switch n.Kind {
	case NodeDecode:
		if n.Decode.Threads < 0 || n.Decode.Threads > 256 {
			return fmt.Errorf("%d threads", n.Decode.Threads)
		}
	case NodePicture:
		return n.Picture.validate()
	case NodeSound:
		if s := n.Sound; s.SampleRate < 1000 || s.SampleRate > 768000 || s.Channels < 1 || s.Channels > 64 {
			return fmt.Errorf("%d Hz, %d channels", s.SampleRate, s.Channels)
		}
	case NodeFilter:
		if n.Filter.Name == "" {
			return errors.New("a filter without a name")
		}
	case NodeEncode:
		return n.Encode.validate()
	case NodeOutput:
		if len(n.Rendition) > MaxName {
			return errors.New("the rendition's name is too long")
		}
	case NodeSource:
	}
	return nil
}

func (p *Picture) validate() error {
	if p.Width < 2 || p.Height < 2 || p.Width > MaxSide || p.Height > MaxSide || p.Width%2 != 0 || p.Height%2 != 0 {
		return fmt.Errorf("%dx%d is no even picture size from 2 to %d", p.Width, p.Height, MaxSide)
	}
	return rational("frame rate", p.FPS)
}

func (e *Encode) validate() error {
	if e.Codec == "" {
		return errors.New("an encoder without a codec")
	}
	if e.Bitrate < 0 || e.MaxBitrate < 0 || e.BufSize < 0 || e.Threads < 0 || e.Threads > 256 {
		return errors.New("a negative or absurd encoder setting")
	}
	return rational("frame rate", e.FrameRate)
}
