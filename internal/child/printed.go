package child

// printed keeps the beginning and the end of what a worker prints: a crash
// names its cause first and the goroutine that matters soon after. It is
// written by one goroutine and read when that has ended.
type printed struct {
	head, tail []byte
	skipped    int
}

const (
	keptHead = 16 << 10
	keptTail = 8 << 10
)

// Write implements io.Writer and never fails.
func (p *printed) Write(b []byte) (int, error) {
	n := len(b)
	if room := keptHead - len(p.head); room > 0 {
		take := min(room, len(b))
		p.head = append(p.head, b[:take]...)
		b = b[take:]
	}
	if len(b) >= keptTail {
		p.skipped += len(p.tail) + len(b) - keptTail
		p.tail = append(p.tail[:0], b[len(b)-keptTail:]...)
	} else {
		if over := len(p.tail) + len(b) - keptTail; over > 0 {
			p.skipped += over
			p.tail = append(p.tail[:0], p.tail[over:]...)
		}
		p.tail = append(p.tail, b...)
	}
	return n, nil
}

func (p *printed) String() string {
	if p.skipped > 0 {
		return string(p.head) + "\n[…]\n" + string(p.tail)
	}
	return string(p.head) + string(p.tail)
}
