package main

import (
	"context"
	"net/http"
	"time"

	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/packager/check"
	"github.com/millrace/millrace/web"
)

// judgedSegments is how many segments of each playlist a check of our own
// downloads at its start: enough for what rules say of neighbours.
const judgedSegments = 10

// judge shows the checker to web.
type judge struct{}

var _ web.Judge = judge{}

// Judge implements web.Judge.
func (judge) Judge(ctx context.Context, c *http.Client, url string, watch time.Duration, progress func(time.Duration)) (status.CheckReport, error) {
	report, err := check.Run(ctx, url, check.Options{
		For: watch, Segments: judgedSegments, Client: c,
		Progress: func(elapsed, _ time.Duration) { progress(elapsed) },
	})
	if err != nil {
		return status.CheckReport{}, err
	}
	out := status.CheckReport{
		URL: report.URL, Live: report.Live, LowLatency: report.LowLatency, Playlists: report.Playlists, Looks: report.Looks,
		Pieces: report.Pieces, Seconds: report.Watched.Seconds(), Results: make([]status.CheckResult, 0, len(report.Results)),
	}
	for _, r := range report.Results {
		result := status.CheckResult{ID: r.ID, Section: r.Section, Must: r.Must, Text: r.Text, Verdict: string(r.Verdict), Count: r.Count}
		for _, f := range r.Findings {
			result.Findings = append(result.Findings, status.CheckFinding(f))
		}
		out.Results = append(out.Results, result)
	}
	return out, nil
}
