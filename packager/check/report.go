package check

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Verdict is how a presentation stands to a rule.
type Verdict string

// The verdicts.
const (
	Passed        Verdict = "passed"
	Broken        Verdict = "broken"
	NotApplicable Verdict = "not applicable"
)

// maxFindings is how many findings of one rule are kept; all are counted.
const maxFindings = 5

// Finding is one case of a broken rule.
type Finding struct {
	Playlist string `json:"playlist,omitempty"` // its URI in the multivariant playlist
	Evidence string `json:"evidence"`
}

// Result is a rule with its verdict.
type Result struct {
	ID       string    `json:"id"`
	Section  string    `json:"section"` // of RFC 8216bis, or "Apple" and the number of its rule
	Must     bool      `json:"must"`    // else it is a recommendation
	Text     string    `json:"text"`
	Verdict  Verdict   `json:"verdict"`
	Count    int       `json:"count,omitempty"` // of findings
	Findings []Finding `json:"findings,omitempty"`
}

// Report is the judgement of a presentation.
type Report struct {
	URL        string        `json:"url"`
	Live       bool          `json:"live"`
	LowLatency bool          `json:"lowLatency"`
	Playlists  int           `json:"playlists"`
	Looks      int           `json:"looks"`  // playlists fetched
	Pieces     int           `json:"pieces"` // segments and parts downloaded
	Watched    time.Duration `json:"watched"`
	Results    []Result      `json:"results"`
}

// verdict collects what one rule finds.
type verdict struct {
	seen     bool
	count    int
	findings []Finding
}

// applies says that the presentation has what the rule is about.
func (v *verdict) applies() { v.seen = true }

// broken notes a finding. f may be nil.
func (v *verdict) broken(f *followed, format string, args ...any) {
	v.seen = true
	v.count++
	if len(v.findings) == maxFindings {
		return
	}
	name := ""
	if f != nil {
		name = f.name
	}
	finding := Finding{Playlist: name, Evidence: fmt.Sprintf(format, args...)}
	if slices.Contains(v.findings, finding) {
		v.count--
		return
	}
	v.findings = append(v.findings, finding)
}

// rule is one rule. Its check is a function of what was recorded.
type rule struct {
	id, section string
	must        bool
	text        string
	check       func(*presentation, *verdict)
}

// Rules lists every rule, without a verdict.
func Rules() []Result {
	var out []Result
	for _, r := range rules() {
		out = append(out, Result{ID: r.id, Section: r.section, Must: r.must, Text: r.text, Verdict: NotApplicable})
	}
	return out
}

func rules() []rule {
	return slices.Concat(tagRules, historyRules, mediaRules, iframeRules, variantRules, dateRangeRules, deliveryRules, keyRules, subtitleRules)
}

// judge holds what was recorded to every rule.
func judge(p *presentation) *Report {
	r := &Report{URL: p.url.Redacted(), Live: p.live, Playlists: len(p.list), Watched: p.took}
	for _, f := range p.list {
		r.Looks += len(f.looks)
		for _, s := range f.segments {
			if s.status != 0 {
				r.Pieces++
			}
		}
		for _, s := range f.parts {
			if s.status != 0 {
				r.Pieces++
			}
		}
		if l := f.newest(); l != nil && l.m.PartTarget > 0 {
			r.LowLatency = true
		}
	}
	for _, rule := range rules() {
		var v verdict
		rule.check(p, &v)
		result := Result{
			ID: rule.id, Section: rule.section, Must: rule.must, Text: rule.text,
			Verdict: NotApplicable, Count: v.count, Findings: v.findings,
		}
		switch {
		case v.count > 0:
			result.Verdict = Broken
		case v.seen:
			result.Verdict = Passed
		}
		r.Results = append(r.Results, result)
	}
	return r
}

// Broken reports whether a rule that must hold is broken, and how many
// recommendations are.
func (r *Report) Broken() (must, should int) {
	for _, result := range r.Results {
		if result.Verdict == Broken {
			if result.Must {
				must++
			} else {
				should++
			}
		}
	}
	return must, should
}

// Text writes the report for people; all lists the rules that hold too.
func (r *Report) Text(w io.Writer, all bool) error {
	var b strings.Builder
	kind := "VOD"
	if r.Live {
		kind = "live"
	}
	if r.LowLatency {
		kind += ", low latency"
	}
	fmt.Fprintf(&b, "%s\n%s; %d media playlists, %d looks at them, %d segments and parts, in %s\n\n",
		r.URL, kind, r.Playlists, r.Looks, r.Pieces, r.Watched.Round(100*time.Millisecond))
	count := map[Verdict]int{}
	for _, result := range r.Results {
		count[result.Verdict]++
		if result.Verdict != Broken && !all {
			continue
		}
		mark := map[Verdict]string{Passed: "ok  ", Broken: "FAIL", NotApplicable: "-   "}[result.Verdict]
		if result.Verdict == Broken && !result.Must {
			mark = "warn"
		}
		fmt.Fprintf(&b, "%s %-26s %s  %s\n", mark, result.ID, where(result.Section), result.Text)
		for _, f := range result.Findings {
			fmt.Fprintf(&b, "       %s\n", strings.TrimPrefix(f.Playlist+": "+f.Evidence, ": "))
		}
		if more := result.Count - len(result.Findings); more > 0 {
			fmt.Fprintf(&b, "       and %d more like these\n", more)
		}
	}
	must, should := r.Broken()
	fmt.Fprintf(&b, "%d rules hold, %d are broken, %d recommendations are not followed, %d do not apply\n",
		count[Passed], must, should, count[NotApplicable])
	_, err := io.WriteString(w, b.String())
	return err
}

func where(section string) string {
	if strings.HasPrefix(section, "Apple") {
		return section
	}
	return "§" + section
}

// JSON writes the report for machines.
func (r *Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
