package status

import "time"

// State is where a stream stands, as users read it.
type State string

// The states of a stream.
const (
	Waiting State = "waiting" // known by configuration, nobody has published yet
	Live    State = "live"    // a publisher is sending
	Lost    State = "lost"    // the publisher left; playlists stand still until it is back or hold is over
	Ended   State = "ended"   // over; what is in the window can still be fetched
	Failed  State = "failed"  // gave up, see Stream.Error
)

// Stream is one path and everything a person may want to know of it.
type Stream struct {
	Path  string    `json:"path" doc:"The stream's path" example:"cam/front"`
	State State     `json:"state" enum:"waiting,live,lost,ended,failed" doc:"Where the stream stands"`
	Since time.Time `json:"since" doc:"When that state began"`

	// Created is when the stream was created; its first media sequence number
	// is this time in Unix seconds.
	Created time.Time `json:"created" doc:"When the stream was created"`

	DASH bool `json:"-"` // see URLs

	DVR float64 `json:"dvr,omitempty" doc:"Seconds that viewers may seek back; absent for the window alone"`

	Error string `json:"error,omitempty" doc:"The last error in words; what made the stream fail where state is failed"`

	Publisher  *Publisher  `json:"publisher,omitempty" doc:"Who publishes; absent while nobody does"`
	Tracks     []Track     `json:"tracks" doc:"What the publisher sends"`
	Renditions []Rendition `json:"renditions" doc:"What viewers are offered, top first"`
	Input      Input       `json:"input" doc:"Figures of what comes in"`
	Worker     *Worker     `json:"worker,omitempty" doc:"The process that transcodes; absent where everything is copied"`

	// Readers counts the sessions that read the stream over RTSP and the like.
	// Viewers counts HLS viewers; web fills it in, the pipeline leaves it 0.
	Readers  int    `json:"readers" doc:"Sessions that read over RTSP"`
	Viewers  int    `json:"viewers" doc:"Viewers over HLS"`
	BytesOut uint64 `json:"bytesOut" doc:"Bytes sent to HLS viewers"` // web fills it in

	// URLs is filled in by web, from the address the client used.
	URLs URLs `json:"urls" doc:"Where to watch"`
}

// Publisher is one publishing session.
type Publisher struct {
	Protocol  string    `json:"protocol" doc:"rtsp, rtmp, srt, or the scheme of a pulled source" example:"rtsp"`
	Remote    string    `json:"remote" doc:"Address and port of the other side" example:"192.0.2.7:51812"`
	UserAgent string    `json:"userAgent,omitempty" example:"Lavf61.7.100"`
	Transport string    `json:"transport,omitempty" doc:"tcp or udp, where the protocol has a choice" example:"tcp"`
	Since     time.Time `json:"since"`
}

// Track is one elementary stream of the source.
type Track struct {
	ID         int     `json:"id" doc:"-1 for a track that is offered and not taken"`
	Kind       string  `json:"kind" enum:"video,audio"`
	Codec      string  `json:"codec" example:"h264"`
	Width      int     `json:"width,omitempty" doc:"Video: pixels"`
	Height     int     `json:"height,omitempty" doc:"Video: pixels"`
	FPS        float64 `json:"fps,omitempty" doc:"Video: frames a second as declared; absent if unknown or variable"`
	SampleRate int     `json:"sampleRate,omitempty" doc:"Audio: Hz"`
	Channels   int     `json:"channels,omitempty" doc:"Audio"`
	Language   string  `json:"language,omitempty" doc:"BCP 47"`
	Problem    string  `json:"problem,omitempty" doc:"Why this track is not used, in words"`
}

// Rendition is one rung of the ladder, or one audio rendition.
type Rendition struct {
	Name       string  `json:"name" example:"720p"`
	Kind       string  `json:"kind" enum:"video,audio"`
	Codec      string  `json:"codec" example:"h264"`
	Width      int     `json:"width,omitempty"`
	Height     int     `json:"height,omitempty"`
	FPS        float64 `json:"fps,omitempty"`
	SampleRate int     `json:"sampleRate,omitempty"`
	Channels   int     `json:"channels,omitempty"`
	Declared   int     `json:"declaredBitrate,omitempty" doc:"Bits a second as the playlist declares them"`
	Measured   int     `json:"measuredBitrate,omitempty" doc:"Bits a second over the last segments"`
	Copy       bool    `json:"copy" doc:"Passed through as it comes; false: encoded here"`
	State      string  `json:"state" enum:"starting,live,off" doc:"off: given up under overload, listed as gaps"`
}

// Input is what the publisher's media looks like on arrival. Counters run
// from the creation of the stream.
type Input struct {
	Bytes    uint64            `json:"bytes" doc:"Payload bytes received"`
	Packets  uint64            `json:"packets"`
	Bitrate  int               `json:"bitrate" doc:"Bits a second, over the last seconds"`
	FPS      float64           `json:"fps" doc:"Frames a second, over the last seconds"`
	Lost     uint64            `json:"lost" doc:"Packets lost on the way to the server"`
	Dropped  uint64            `json:"dropped" doc:"Packets dropped inside because a queue was full"`
	Repaired map[string]uint64 `json:"repaired,omitempty" doc:"Timestamps repaired, by reason"`
	Drift    float64           `json:"drift" doc:"Milliseconds that audio runs ahead of video since the start; negative: behind"`
}

// Worker is the process that transcodes one stream.
type Worker struct {
	Speed    float64 `json:"speed" doc:"Media seconds coded a second while busy; below 1 cannot keep up"`
	Queue    int     `json:"queue" doc:"Bytes waiting"`
	Dropped  uint64  `json:"dropped" doc:"Packets dropped before the encoder"`
	RSS      int64   `json:"rss" doc:"Resident memory, bytes"`
	Restarts int     `json:"restarts" doc:"How often it was started again"`
	Degraded string  `json:"degraded,omitempty" doc:"What was given up to keep up, in words"`
}

// URLs are absolute and work from where the client stands.
type URLs struct {
	Watch string `json:"watch"`
	HLS   string `json:"hls"`
	DASH  string `json:"dash,omitempty" doc:"Absent where the segments are not fit for it"`
	Thumb string `json:"thumb"`
	RTSP  string `json:"rtsp,omitempty"`
}
