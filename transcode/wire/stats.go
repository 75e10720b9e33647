package wire

// Stats is sent by a stream worker once a second. Counters start at zero with
// the worker and only grow.
type Stats struct {
	PacketsIn    uint64 `json:"packetsIn"`    // source packets read
	FramesIn     uint64 `json:"framesIn"`     // decoded frames, video and audio
	DecodeErrors uint64 `json:"decodeErrors"` // packets a decoder refused; not fatal

	// QueuedBytes is what waits inside the worker for its decoders.
	QueuedBytes int64 `json:"queuedBytes"`

	// DecodeBusy is the time spent inside decoders and filters, in ns.
	DecodeBusy int64 `json:"decodeBusy"`

	Outputs []OutputStats `json:"outputs,omitempty"`

	// Of a script worker, whose figures come from the script's own loop:
	// source packets that it did not take in time, and where the script was
	// seen last (file:line:column).
	Dropped  uint64 `json:"dropped,omitempty"`
	Position string `json:"position,omitempty"`
}

// OutputStats is about one rendition.
type OutputStats struct {
	Rendition string `json:"rendition"`
	Frames    uint64 `json:"frames"`  // handed to the encoder
	Dropped   uint64 `json:"dropped"` // not handed to it: rate limit or Tune
	Bytes     uint64 `json:"bytes"`
	Busy      int64  `json:"busy"` // time spent inside the encoder, in ns
	Off       bool   `json:"off,omitempty"`
	Preset    string `json:"preset,omitempty"`
}
