package status

// CheckReport is how a stream stands to the rules of HLS.
type CheckReport struct {
	URL        string        `json:"url" doc:"The multivariant playlist that was watched"`
	Live       bool          `json:"live" doc:"Whether it was still going on"`
	LowLatency bool          `json:"lowLatency" doc:"Whether it has parts"`
	Playlists  int           `json:"playlists" doc:"Media playlists followed"`
	Looks      int           `json:"looks" doc:"Times that a playlist was fetched"`
	Pieces     int           `json:"pieces" doc:"Segments and parts downloaded"`
	Seconds    float64       `json:"seconds" doc:"How long it was watched"`
	Results    []CheckResult `json:"results" doc:"One for each rule"`
}

// CheckResult is a rule with its verdict.
type CheckResult struct {
	ID       string         `json:"id" doc:"Stable word for programs" example:"part-target"`
	Section  string         `json:"section" doc:"Of RFC 8216bis, or Apple and the number of its rule" example:"4.4.4.9"`
	Must     bool           `json:"must" doc:"Whether it has to be held; else it is a recommendation"`
	Text     string         `json:"text" doc:"The rule in words"`
	Verdict  string         `json:"verdict" enum:"passed,broken,not applicable"`
	Count    int            `json:"count,omitempty" doc:"How often it was found broken"`
	Findings []CheckFinding `json:"findings,omitempty" doc:"The first of them"`
}

// CheckFinding is one case of a broken rule.
type CheckFinding struct {
	Playlist string `json:"playlist,omitempty" doc:"Its URI in the multivariant playlist"`
	Evidence string `json:"evidence"`
}
