package media

import (
	"fmt"
	"strings"
)

// graph is what a script has wired, for --dot.
type graph struct {
	names  []string // of nodes, in the order in which they appeared
	labels map[string]string
	edges  []string
}

// link notes that one stream goes into another. Streams are named by what
// stands for them, and labelled.
func (g *graph) link(from, fromLabel, to, toLabel string) {
	if g.labels == nil {
		g.labels = map[string]string{}
	}
	for _, n := range [][2]string{{from, fromLabel}, {to, toLabel}} {
		if _, known := g.labels[n[0]]; !known {
			g.names = append(g.names, n[0])
			g.labels[n[0]] = n[1]
		}
	}
	edge := from + " -> " + to
	for _, e := range g.edges {
		if e == edge {
			return
		}
	}
	g.edges = append(g.edges, edge)
}

// Dot is the media graph that the script has built so far, in Graphviz's
// language. Dashed boxes are streams of JavaScript. It is for the loop, or for
// after its end.
func (m *Module) Dot() string {
	var b strings.Builder
	b.WriteString("digraph millrace {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n")
	for _, name := range m.graph.names {
		style := ""
		if strings.HasPrefix(name, "js") {
			style = ", style=dashed"
		}
		fmt.Fprintf(&b, "  %s [label=%q%s];\n", name, m.graph.labels[name], style)
	}
	for _, e := range m.graph.edges {
		fmt.Fprintf(&b, "  %s;\n", e)
	}
	b.WriteString("}\n")
	return b.String()
}
