package pipeline

import (
	"maps"
	"slices"
	"time"

	"github.com/millrace/millrace/ingest"
	"github.com/millrace/millrace/ingest/timeline"
	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/internal/status"
	"github.com/millrace/millrace/packager"
	"github.com/millrace/millrace/transcode"
)

// Status is a snapshot of the stream for people.
func (p *Pipeline) Status() status.Stream {
	p.mu.Lock()
	s := status.Stream{Path: p.path, State: p.state, Since: p.since, Created: p.created}
	plan, session, pres := p.shown, p.worker, p.pres
	if p.lastErr != nil {
		s.Error = p.lastErr.Error()
	} else if p.warning != nil {
		s.Error = p.warning.Error()
	}
	p.mu.Unlock()
	s.DVR, s.DASH = pres.Shift().Seconds(), pres.DASH()

	if s.State == status.Waiting || s.State == status.Lost {
		if reason := p.stream.Reason(); reason != nil {
			s.Error = reason.Error() // the newest: why a source cannot be reached
		}
	}

	in := p.stream.Stats()
	tracks := p.stream.Tracks()
	s.Publisher = publisherStatus(in)
	s.Tracks = append(trackStatus(tracks, plan), unusedStatus(in.Unused)...)
	s.Input = inputStatus(in)
	s.Readers = max(0, in.Subscribers-1) // one is the pipeline's own
	var stats transcode.Stats
	if session != nil {
		stats = session.Stats()
		s.Worker = workerStatus(stats)
	}
	if plan != nil {
		s.Renditions = renditionStatus(plan, pres.Stats(), stats)
	} else if p.script != nil {
		s.Renditions, s.Worker = p.script.status(pres.Stats())
	}
	return s
}

func publisherStatus(in ingest.Stats) *status.Publisher {
	if in.Protocol == "" {
		return nil
	}
	return &status.Publisher{Protocol: in.Protocol, Remote: in.Remote, UserAgent: in.Agent, Since: in.Since}
}

func trackStatus(tracks []*media.Track, plan *transcode.Plan) []status.Track {
	list := []status.Track{}
	for _, t := range tracks {
		st := status.Track{
			ID: t.ID, Kind: t.Kind.String(), Codec: string(t.Codec),
			Width: t.Width, Height: t.Height, FPS: t.FrameRate.Float(),
			SampleRate: t.SampleRate, Channels: t.Channels, Language: t.Language,
		}
		if plan != nil && !slices.ContainsFunc(plan.Renditions, func(r transcode.Rendition) bool { return r.Source == t.ID }) {
			st.Problem = "not offered to viewers"
		}
		list = append(list, st)
	}
	return list
}

// unusedStatus are the tracks that the publisher offers in vain.
func unusedStatus(unused []ingest.Unused) []status.Track {
	var list []status.Track
	for _, u := range unused {
		if u.Kind != media.Video.String() && u.Kind != media.Audio.String() {
			continue // a camera's events, and the like
		}
		problem := u.Reason
		if problem == "" {
			problem = "not a codec that can be taken here"
		}
		list = append(list, status.Track{ID: -1, Kind: u.Kind, Codec: u.Codec, Problem: problem})
	}
	return list
}

func inputStatus(in ingest.Stats) status.Input {
	st := status.Input{
		Bytes: in.Bytes, Packets: in.Packets, Lost: in.Lost, Dropped: in.Dropped + in.Damaged,
		Repaired: repairs(in.Repairs),
	}
	var audio, video time.Duration
	var hasAudio, hasVideo bool
	for _, t := range in.Tracks {
		st.Bitrate += t.Bitrate
		if t.Kind == media.Video.String() {
			st.FPS, video, hasVideo = t.FPS, t.Drift, true
		} else {
			audio, hasAudio = t.Drift, true
		}
	}
	if hasAudio && hasVideo {
		st.Drift = float64(audio-video) / float64(time.Millisecond)
	}
	return st
}

// repairs names what was repaired; what never happened is left out.
func repairs(r timeline.Repairs) map[string]uint64 {
	named := map[string]uint64{
		"jumped": r.Jumped, "breaks": r.Breaks, "backwards": r.Backwards, "ptsFirst": r.PTSFirst,
		"derived": r.Derived, "reorders": r.Reorders, "rates": r.Rates, "aligned": r.Aligned, "dropped": r.Dropped,
	}
	maps.DeleteFunc(named, func(_ string, n uint64) bool { return n == 0 })
	return named
}

func workerStatus(s transcode.Stats) *status.Worker {
	return &status.Worker{
		Speed: s.Speed, Queue: s.QueueBytes, Dropped: s.Dropped, RSS: s.RSS,
		Restarts: s.Restarts, Degraded: s.Degradation.String(),
	}
}

func renditionStatus(plan *transcode.Plan, stats packager.Stats, coder transcode.Stats) []status.Rendition {
	packaged := map[string]packager.RenditionStats{}
	for _, r := range stats.Renditions {
		packaged[r.Name] = r
	}
	list := []status.Rendition{}
	for _, r := range plan.Renditions {
		st := status.Rendition{
			Name: r.Name, Kind: r.Kind.String(), Codec: string(r.Codec),
			Width: r.Width, Height: r.Height, FPS: r.FPS.Float(),
			SampleRate: r.SampleRate, Channels: r.Channels,
			Declared: max(r.Bitrate, r.MaxBitrate), Measured: packaged[r.Name].Average,
			Copy: r.Copy, State: "starting",
		}
		if packaged[r.Name].Listed > 0 {
			st.State = "live"
		}
		if slices.Contains(coder.Degradation.Off, r.Name) {
			st.State = "off"
		}
		list = append(list, st)
	}
	return list
}

// admit takes note of the plan that a publisher was let in with; nil where the
// media will tell.
func (p *Pipeline) admit(plan *transcode.Plan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.admitted = plan
}

// has reports whether one of the stream's renditions is called name, or will
// be.
func (p *Pipeline) has(name string) bool {
	p.mu.Lock()
	plans := []*transcode.Plan{p.shown, p.admitted}
	p.mu.Unlock()
	for _, plan := range plans {
		if plan != nil {
			if _, ok := plan.Rendition(name); ok {
				return true
			}
		}
	}
	return name == packager.LicenseFile && licensed(p.set.HLS.Encryption) || p.subtitled(name) || p.script.has(name)
}
