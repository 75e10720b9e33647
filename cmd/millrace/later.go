package main

// Commands of a later version. Their command lines are fixed already.

type checkCmd struct {
	URL  string `arg:"" help:"Playlist to judge."`
	JSON bool   `help:"Write the verdict as JSON."`
}

// Run answers that it is not there.
func (checkCmd) Run() error { return notYet("check") }

// Help is printed by millrace help check.
func (checkCmd) Help() string {
	return `Not in this version.

    millrace check http://localhost:8080/hls/demo/index.m3u8`
}
