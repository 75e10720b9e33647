package config

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// This file is the only one that knows the YAML library. It turns bytes into a
// tree of nodes with positions, and turns hostile bytes into errors: the
// library's parser recurses over nesting and over the keys of one mapping, so
// both are bounded before it runs, and aliases share their node, so that
// anchors cannot multiply.

// Bounds of a configuration file. They are far above any real one.
const (
	maxFile    = 1 << 20 // bytes
	maxTokens  = 150_000 // a stream with all its keys has 60
	maxDepth   = 24      // mappings and lists inside one another
	maxKeys    = 1000    // keys of one mapping
	maxPerLine = 1000    // tokens of one line
	maxMerged  = 20_000  // keys brought in by <<, all together
)

type kind uint8

const (
	scalarNode kind = iota + 1
	mapNode
	listNode
	nullNode
)

// node is one value of the file.
type node struct {
	kind         kind
	line, column int
	text         string // of a scalar, as written but unquoted
	quoted       bool   // a scalar in quotes, or a block of text
	keys         []pair // of a mapping, in order
	items        []*node
}

type pair struct {
	key   *node
	value *node
}

// describe says what stands at path, without repeating what may be a secret.
func (n *node) describe(path string) string {
	switch n.kind {
	case mapNode:
		return "a mapping"
	case listNode:
		return "a list"
	case nullNode:
		return "nothing"
	}
	if secret(path) {
		return "a text"
	}
	return fmt.Sprintf("%q", n.text)
}

// get returns the value of a key, or fallback.
func (n *node) get(key string, fallback *node) *node {
	for _, p := range n.keys {
		if p.key.text == key {
			return p.value
		}
	}
	return fallback
}

// parse reads one document. It returns nil for an empty one and after errors,
// which it has reported to d.
func (d *decoder) parse(data []byte) *node {
	if len(data) > maxFile {
		d.errorf(&node{line: 1, column: 1}, "", "file of %d bytes; %d are the most", len(data), maxFile)
		return nil
	}
	if !utf8.Valid(data) {
		d.errorf(&node{line: 1, column: 1}, "", "not text in UTF-8")
		return nil
	}
	tokens := lexer.Tokenize(string(data))
	if !d.bounded(tokens) {
		return nil
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		d.syntax(err)
		return nil
	}
	var body ast.Node
	for _, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.CommentType {
			continue
		}
		if body != nil {
			d.errorf(place(doc.Body.GetToken()), "", "a second document; a configuration is one")
			return nil
		}
		body = doc.Body
	}
	if body == nil {
		return nil
	}
	b := builder{d: d, anchors: make(map[string]*node)}
	n := b.node(body, 0)
	if n == nil || n.kind == nullNode {
		return nil
	}
	return n
}

// syntax reports an error of the YAML library.
func (d *decoder) syntax(err error) {
	var positioned yaml.Error
	if errors.As(err, &positioned) {
		at := &node{line: 1, column: 1}
		if t := positioned.GetToken(); t != nil {
			at = place(t)
		}
		d.errorf(at, "", "not YAML: %s%s", firstLine(positioned.GetMessage()), syntaxHint(positioned.GetMessage()))
		return
	}
	d.errorf(&node{line: 1, column: 1}, "", "not YAML: %s", firstLine(err.Error()))
}

func firstLine(s string) string {
	first, _, _ := strings.Cut(s, "\n")
	return strings.TrimRight(strings.ReplaceAll(strings.ReplaceAll(first, "\t", `\t`), "\r", ""), " ")
}

// syntaxHint adds what to do to the library's messages that do not say it.
func syntaxHint(message string) string {
	switch {
	case strings.Contains(message, "mapping value is not allowed"):
		return `; put a text that contains ": " in quotes`
	case strings.Contains(message, "\t"):
		return "; indent with spaces, not tabs"
	case strings.Contains(message, "value is not allowed in this context"):
		return "; is the line indented like its neighbours?"
	case strings.Contains(message, "reserved character"):
		return "; put the text in quotes"
	}
	return ""
}

func place(t *token.Token) *node {
	if t == nil || t.Position == nil {
		return &node{line: 1, column: 1}
	}
	return &node{line: t.Position.Line, column: t.Position.Column}
}

// bounded refuses what would make the parser recurse or copy without bound.
func (d *decoder) bounded(tokens token.Tokens) bool {
	if len(tokens) > maxTokens {
		d.errorf(place(tokens[maxTokens]), "", "too much for a configuration: more than %d words and signs", maxTokens)
		return false
	}
	line, onLine, documents := 0, 0, 0
	depth := 0
	keys := []int{0}             // of each open flow collection; the first is block style
	columns := make(map[int]int) // keys of the open block mapping at each column
	for _, t := range tokens {
		if t.Type == token.InvalidType {
			d.errorf(place(t), "", "not YAML: %s%s", firstLine(t.Error), syntaxHint(t.Error))
			return false
		}
		if t.Position.Line != line {
			line, onLine = t.Position.Line, 0
			for c := range columns {
				if c > t.Position.Column {
					delete(columns, c)
				}
			}
		}
		if onLine++; onLine > maxPerLine {
			d.errorf(place(t), "", "too much on one line")
			return false
		}
		n := 0
		switch t.Type {
		case token.DocumentHeaderType:
			if documents++; documents > 1 {
				d.errorf(place(t), "", "a second document; a configuration is one")
				return false
			}
		case token.SequenceStartType, token.MappingStartType:
			depth++
			keys = append(keys, 0)
		case token.SequenceEndType, token.MappingEndType:
			if depth > 0 {
				depth--
				keys = keys[:len(keys)-1]
			}
		case token.MappingValueType:
			if depth > 0 {
				keys[depth]++
				n = keys[depth]
			} else if t.Prev != nil {
				columns[t.Prev.Position.Column]++
				n = columns[t.Prev.Position.Column]
			}
		}
		if depth > maxDepth {
			d.errorf(place(t), "", "nested too deep; %d levels are the most", maxDepth)
			return false
		}
		if n > maxKeys {
			d.errorf(place(t), "", "a mapping of more than %d keys", maxKeys)
			return false
		}
	}
	return true
}

// builder turns the library's tree into nodes.
type builder struct {
	d       *decoder
	anchors map[string]*node
	merged  int
}

// node returns nil after it has reported an error.
func (b *builder) node(n ast.Node, depth int) *node {
	if depth > maxDepth {
		b.d.errorf(place(n.GetToken()), "", "nested too deep; %d levels are the most", maxDepth)
		return nil
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		return b.mapping(place(n.GetToken()), n.Values, depth)
	case *ast.MappingValueNode:
		return b.mapping(place(n.GetToken()), []*ast.MappingValueNode{n}, depth)
	case *ast.SequenceNode:
		out := place(n.GetToken())
		out.kind = listNode
		for _, v := range n.Values {
			item := b.node(v, depth+1)
			if item == nil {
				return nil
			}
			out.items = append(out.items, item)
		}
		return out
	case *ast.AnchorNode:
		value := b.node(n.Value, depth+1)
		if value != nil {
			b.anchors[n.Name.GetToken().Value] = value
		}
		return value
	case *ast.AliasNode:
		name := n.Value.GetToken().Value
		if value, ok := b.anchors[name]; ok {
			return value
		}
		b.d.errorf(place(n.GetToken()), "", "alias *%s names no anchor above it", name)
		return nil
	case *ast.NullNode:
		out := place(n.GetToken())
		out.kind = nullNode
		return out
	case *ast.StringNode:
		out := place(n.GetToken())
		out.kind, out.text = scalarNode, n.Value
		out.quoted = n.Token.Type == token.SingleQuoteType || n.Token.Type == token.DoubleQuoteType
		return out
	case *ast.LiteralNode:
		out := place(n.GetToken())
		out.kind, out.text, out.quoted = scalarNode, n.Value.Value, true
		return out
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		out := place(n.GetToken())
		out.kind, out.text = scalarNode, n.GetToken().Value
		return out
	}
	b.d.errorf(place(n.GetToken()), "", "not used in a configuration: %s", strings.ToLower(n.Type().String()))
	return nil
}

func (b *builder) mapping(at *node, values []*ast.MappingValueNode, depth int) *node {
	out := at
	out.kind = mapNode
	var merges []*node
	seen := make(map[string]*node, len(values))
	for _, v := range values {
		value := b.node(v.Value, depth+1)
		if value == nil {
			return nil
		}
		if v.Key.Type() == ast.MergeKeyType {
			merges = append(merges, value)
			continue
		}
		key, ok := v.Key.(ast.Node)
		if !ok {
			return nil
		}
		k := b.node(key, depth+1)
		if k == nil {
			return nil
		}
		if k.kind != scalarNode && k.kind != nullNode {
			b.d.errorf(k, "", "a key must be a word")
			return nil
		}
		if first, ok := seen[k.text]; ok {
			b.d.errorf(k, "", "key %q is here a second time; the first is in line %d", k.text, first.line)
			continue
		}
		seen[k.text] = k
		if len(out.keys) == 0 {
			out.line, out.column = min(out.line, k.line), k.column
		}
		out.keys = append(out.keys, pair{k, value})
	}
	for _, m := range merges {
		if !b.merge(out, m, seen) {
			return nil
		}
	}
	return out
}

// merge adds the keys of from that out does not have itself, as << says.
func (b *builder) merge(out, from *node, seen map[string]*node) bool {
	if from.kind == listNode {
		for _, item := range from.items {
			if item.kind == listNode || !b.merge(out, item, seen) {
				return false
			}
		}
		return true
	}
	if from.kind != mapNode {
		b.d.errorf(from, "", "<< needs a mapping, got %s", from.describe(""))
		return false
	}
	for _, p := range from.keys {
		if b.merged++; b.merged > maxMerged {
			b.d.errorf(from, "", "too many keys merged")
			return false
		}
		if _, ok := seen[p.key.text]; !ok {
			seen[p.key.text] = p.key
			out.keys = append(out.keys, p)
		}
	}
	return true
}
