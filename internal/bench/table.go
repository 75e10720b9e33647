package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// table prints rows in Markdown, columns aligned so that it reads well in a
// terminal too.
type table struct{ rows [][]string }

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) print() {
	width := make([]int, len(t.rows[0]))
	for _, row := range t.rows {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	for n, row := range t.rows {
		line := "|"
		for i, cell := range row {
			line += " " + cell + strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell)) + " |"
		}
		fmt.Println(line)
		if n == 0 {
			line = "|"
			for i := range row {
				line += strings.Repeat("-", width[i]+2) + "|"
			}
			fmt.Println(line)
		}
	}
}

func median[T cmp.Ordered](values []T) T {
	s := slices.Sorted(slices.Values(values))
	return s[len(s)/2]
}

// medians takes each figure's median over the runs.
func medians(runs []usage) usage {
	var wall, cpu []time.Duration
	var memory []int64
	for _, r := range runs {
		wall, cpu, memory = append(wall, r.wall), append(cpu, r.cpu), append(memory, r.memory)
	}
	return usage{median(wall), median(cpu), median(memory)}
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

func ratio[T ~int64 | ~float64](a, b T) string { return fmt.Sprintf("%.2f", float64(a)/float64(b)) }
