package compile

import (
	"encoding/json"
	"path/filepath"
	"strings"
)

// fitMap makes esbuild's source map one that goja reads rightly: with full
// paths, so that stacks show them, and with columns from 1, which is how goja
// asks and answers.
func fitMap(maps []byte, dir string) ([]byte, error) {
	var m struct {
		Version  int      `json:"version"`
		Sources  []string `json:"sources"`
		Names    []string `json:"names"`
		Mappings string   `json:"mappings"`
	}
	if err := json.Unmarshal(maps, &m); err != nil {
		return nil, err
	}
	for i, name := range m.Sources {
		if !filepath.IsAbs(name) && !strings.Contains(name, ":") {
			m.Sources[i] = filepath.Join(dir, name)
		}
	}
	m.Mappings = shifted(m.Mappings)
	return json.Marshal(m)
}

// shifted adds one to every column. A segment's numbers are differences to
// those of the segment before: the generated column's within its line, the
// source column's within the file.
func shifted(mappings string) string {
	var out strings.Builder
	out.Grow(len(mappings) + len(mappings)/16)
	first := true
	for i, line := range strings.Split(mappings, ";") {
		if i > 0 {
			out.WriteByte(';')
		}
		if line == "" {
			continue
		}
		segment, rest, more := strings.Cut(line, ",")
		numbers := decodeVLQ(segment)
		numbers[0]++
		if first && len(numbers) > 3 {
			numbers[3]++
			first = false
		}
		for _, n := range numbers {
			writeVLQ(&out, n)
		}
		if more {
			out.WriteByte(',')
			out.WriteString(rest)
		}
	}
	return out.String()
}

const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

func decodeVLQ(text string) []int {
	var numbers []int
	n, shift := 0, 0
	for i := range len(text) {
		d := strings.IndexByte(digits, text[i])
		n |= (d & 31) << shift
		shift += 5
		if d&32 != 0 {
			continue
		}
		value := n >> 1
		if n&1 != 0 {
			value = -value
		}
		numbers = append(numbers, value)
		n, shift = 0, 0
	}
	return numbers
}

func writeVLQ(out *strings.Builder, n int) {
	v := n << 1
	if n < 0 {
		v = -n<<1 | 1
	}
	for {
		d := v & 31
		v >>= 5
		if v > 0 {
			d |= 32
		}
		out.WriteByte(digits[d])
		if v == 0 {
			return
		}
	}
}
