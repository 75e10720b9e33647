package config

import (
	"time"

	"github.com/millrace/millrace/internal/access"
)

// Config is the whole configuration. Its fields mirror the file; the tags are
// read by decode.go, keys.go and docs_test.go:
//
//	key     the name in the file
//	doc     effect on viewers or operator, for docs/config.md
//	reload  what SIGHUP does with a changed value: live (in force at once),
//	        streams (those streams start again), restart (needs a new start)
//	oneof   the words allowed
//	range   lowest and highest number allowed
type Config struct {
	HTTP    HTTP     `key:"http" doc:"Playback, console, control API."`
	RTSP    RTSP     `key:"rtsp" doc:"RTSP server: publish and read."`
	RTMP    RTMP     `key:"rtmp" doc:"RTMP server."`
	SRT     SRT      `key:"srt" doc:"SRT server."`
	Data    string   `key:"data" reload:"restart" doc:"Folder for everything that outlives a restart. Made when something is first kept."`
	Auth    Auth     `key:"auth" doc:"Who may publish, view and control. Without it, loopback may publish and control, everybody may view."`
	App     string   `key:"app" reload:"live" doc:"JavaScript or TypeScript program with hooks, HTTP routes and realtime. Another file takes over as another version of the same does."`
	Env     []string `key:"env" reload:"live" doc:"Names of the environment variables that scripts may see. Scripts that run are started anew, as if their files had changed."`
	Retain  Retain   `key:"retain" doc:"How long recordings are kept."`
	Streams []Stream `key:"streams" doc:"What is special about which paths. The first entry whose path matches holds; a path that matches none has the defaults."`

	// LogFormat is text or json. It has a flag and a variable, no key.
	LogFormat string

	// File is the configuration file, empty for none.
	File string

	source *source
}

// HTTP is the HTTP listener.
type HTTP struct {
	Listen         Address  `key:"listen" reload:"restart" doc:"Address of the HTTP server; off for none."`
	TLS            TLS      `key:"tls" doc:"Serve HTTPS, and HTTP/2 with it."`
	Origins        []string `key:"origins" reload:"live" doc:"Web pages that may play streams: origins such as https://example.org, or *. Playback only: the API is never open to other origins."`
	TrustedProxies []string `key:"trustedProxies" reload:"live" doc:"Addresses or networks (10.0.0.0/8) of reverse proxies whose X-Forwarded-For is believed."`
}

// TLS names a certificate and its key, both or none.
type TLS struct {
	Cert string `key:"cert" reload:"restart" doc:"File with the certificate and its chain, PEM."`
	Key  string `key:"key" reload:"restart" doc:"File with the certificate's private key, PEM."`
}

// RTSP is the RTSP listener.
type RTSP struct {
	Listen     Address    `key:"listen" reload:"restart" doc:"Address of the RTSP server; off for none."`
	Transports Transports `key:"transports" reload:"restart" doc:"How media may travel: tcp (interleaved), udp."`
}

// RTMP is the RTMP listener.
type RTMP struct {
	Listen Address `key:"listen" reload:"restart" doc:"Address of the RTMP server; off for none."`
}

// SRT is the SRT listener.
type SRT struct {
	Listen Address `key:"listen" reload:"restart" doc:"UDP address of the SRT server; off for none."`
}

// Auth holds the keys. A key travels as ?key=, as the password of RTSP Basic
// or Digest, or in an SRT streamid publish:{path}:{key}.
type Auth struct {
	Publish []PublishRule `key:"publish" doc:"Keys that may publish. A path may have several."`
	View    []ViewRule    `key:"view" doc:"Tokens that may view. A path without one is open to everybody."`
	API     API           `key:"api" doc:"The control API."`
	App     bool          `key:"app" reload:"live" doc:"Whether view rules hold for /app and /socket.io too; else the script decides."`
}

// PublishRule lets whoever has Key publish to the paths that match.
type PublishRule struct {
	Path Pattern `key:"path" reload:"live" doc:"Path or pattern that the key opens."`
	Key  string  `key:"key" reload:"live" doc:"The key."`
}

// ViewRule asks viewers of the paths that match for Token.
type ViewRule struct {
	Path  Pattern `key:"path" reload:"live" doc:"Path or pattern that needs the token."`
	Token string  `key:"token" reload:"live" doc:"The token."`
}

// API is access to the control API.
type API struct {
	Token string `key:"token" reload:"live" doc:"Bearer token of the control API; without it only loopback may use the API."`
}

// Retain bounds recordings; zero is no bound.
type Retain struct {
	Age  time.Duration `key:"age" reload:"live" doc:"Recordings older than this are removed; 0 keeps them."`
	Size Size          `key:"size" reload:"live" doc:"The oldest recordings are removed when all together are larger; 0 is no bound."`
}

// Stream is what holds for the paths that Path matches. It is comparable: a
// stream goes on untouched over a reload when its Stream is the same.
type Stream struct {
	Path          Pattern       `key:"path" reload:"streams" doc:"A path, or a pattern."`
	Source        string        `key:"source" reload:"streams" doc:"URL to pull from (rtsp://user:password@host/path; of a live transport stream udp://@:port, udp://group:port, http://host/path); without it publishers push. Needs an exact path."`
	Ladder        Ladder        `key:"ladder" reload:"streams" doc:"Renditions offered: auto (up to four, never more than the source), passthrough (the source as it is), or a list, top first."`
	Pipeline      string        `key:"pipeline" reload:"streams" doc:"JavaScript pipeline in place of the built-in one."`
	HLS           HLS           `key:"hls" doc:"What viewers get."`
	Hold          time.Duration `key:"hold" reload:"streams" doc:"How long playlists outlive a lost publisher, so that one who comes back continues them."`
	Takeover      bool          `key:"takeover" reload:"streams" doc:"Whether a second publisher replaces the first; else it is refused."`
	Record        bool          `key:"record" reload:"streams" doc:"Leave a VOD playlist behind."`
	Clock         string        `key:"clock" reload:"streams" oneof:"server sender" doc:"What PROGRAM-DATE-TIME follows: the server's clock, or the sender's (RTCP sender reports; a stream waits up to 5 s for the first one and takes the server's clock if none comes)."`
	Encoder       Encoder       `key:"encoder" doc:"How renditions that are not copies are encoded."`
	OnScriptError string        `key:"onScriptError" reload:"streams" oneof:"fail passthrough" doc:"What becomes of the stream when its pipeline script fails."`
}

// HLS is the shape of a stream's playlists and segments.
type HLS struct {
	Segment       time.Duration `key:"segment" reload:"streams" doc:"Aim for the length of segments, 500ms to 60s. A copied rendition is cut at the source's keyframes."`
	Part          time.Duration `key:"part" reload:"streams" doc:"Length of low-latency parts, 100ms to half a segment. Latency is about four parts."`
	Window        time.Duration `key:"window" reload:"streams" doc:"How much the live playlist lists, at least three segments."`
	DVR           time.Duration `key:"dvr" reload:"streams" doc:"How far back viewers may seek, kept on disk, over a restart too; 0s for not at all."`
	Container     string        `key:"container" reload:"streams" oneof:"fmp4 ts" doc:"Segment format: fmp4 (CMAF), or ts (MPEG-TS) for old players. TS carries H.264, and AAC; sources of other codecs are encoded, or refused with ladder passthrough."`
	LowLatency    bool          `key:"lowLatency" reload:"streams" doc:"Offer parts, blocking reload and the rest of low-latency HLS, and encode for it."`
	OriginalAudio bool          `key:"originalAudio" reload:"streams" doc:"Offer sound that is encoded to AAC as it came too, in variants of their own that players choose by their codecs: Opus, FLAC, AC-3 and E-AC-3, in ts the last two."`
	AudioOnly     bool          `key:"audioOnly" reload:"streams" doc:"List a variant without a picture, for the thinnest lines and for listening."`
	Audio         Sounds        `key:"audio" doc:"What to call the publisher's audio tracks in players' menus, where it sends several. The first track is what players begin with."`
	Subtitles     Subtitles     `key:"subtitles" doc:"Subtitle renditions (WebVTT), at most 8. Their texts come over the API and from scripts."`
	Encryption    Encryption    `key:"encryption" doc:"Encrypt what viewers get. Without key and keyFile the server makes keys and gives them to those who may view the stream."`
}

// Encryption says how segments are encrypted, and with what.
type Encryption struct {
	Method   string        `key:"method" reload:"streams" oneof:"none aes-128 cbcs" doc:"none; aes-128 encrypts whole segments; cbcs encrypts samples (METHOD=SAMPLE-AES; H.264, H.265 and audio in fmp4), as browsers decrypt by EME."`
	Rotate   time.Duration `key:"rotate" reload:"streams" doc:"How long a key is in force: the first segment after that begins with another one. 0s keeps one key until the stream ends."`
	Key      string        `key:"key" reload:"streams" doc:"The one key, 32 hexadecimal digits, where it is not the server's to make."`
	KeyFile  string        `key:"keyFile" reload:"streams" doc:"File with the one key: 16 bytes, or 32 hexadecimal digits. It is read when the stream begins."`
	ID       string        `key:"id" reload:"streams" doc:"Name of key or keyFile, and its KID: 32 hexadecimal digits. Without it the server makes one."`
	URI      string        `key:"uri" reload:"streams" doc:"Where players find key or keyFile, in place of this server; {id} stands for its name, {path} for the stream's path."`
	Format   string        `key:"format" reload:"streams" doc:"KEYFORMAT of uri; identity where it is empty: the 16 bytes."`
	Versions string        `key:"formatVersions" reload:"streams" doc:"KEYFORMATVERSIONS of uri, such as 1 or 1/2."`
}

// Encoder tunes the encoders of one stream.
type Encoder struct {
	Threads int    `key:"threads" reload:"streams" range:"0 64" doc:"Threads of each encoder; 0 chooses by rendition and machine."`
	Nice    int    `key:"nice" reload:"streams" range:"0 19" doc:"Niceness of the worker process, so that serving goes before encoding."`
	Preset  string `key:"preset" reload:"streams" oneof:"ultrafast superfast veryfast faster fast medium slow slower veryslow" doc:"x264 preset: quality for CPU."`
}

// Default is the configuration of a server that was told nothing.
func Default() *Config {
	return &Config{
		HTTP:      HTTP{Listen: ":8080", Origins: []string{"*"}},
		RTSP:      RTSP{Listen: ":8554", Transports: Transports{TCP: true, UDP: true}},
		RTMP:      RTMP{Listen: ":1935"},
		SRT:       SRT{Listen: ":8890"},
		Data:      "./millrace-data",
		LogFormat: "text",
	}
}

// DefaultStream is what holds for a path that no entry of streams matches.
func DefaultStream() Stream {
	return Stream{
		Ladder: Ladder{Mode: Auto},
		HLS: HLS{
			Segment:       2 * time.Second,
			Part:          500 * time.Millisecond,
			Window:        30 * time.Second,
			Container:     "fmp4",
			LowLatency:    true,
			OriginalAudio: true,
			Encryption:    Encryption{Method: "none"},
		},
		Hold:          30 * time.Second,
		Clock:         "server",
		Encoder:       Encoder{Nice: 5, Preset: "veryfast"},
		OnScriptError: "fail",
	}
}

func (s *Stream) setDefaults() { *s = DefaultStream() }

// ForPath returns what holds for path: the first entry of Streams that matches
// it, or the defaults.
func (c *Config) ForPath(path string) Stream {
	for _, s := range c.Streams {
		if s.Path.Match(path) {
			return s
		}
	}
	return DefaultStream()
}

// PublishRules are the keys that open paths for publishing.
func (a Auth) PublishRules() access.Rules {
	var rules access.Rules
	for _, r := range a.Publish {
		rules = append(rules, access.Rule{Path: string(r.Path), Key: r.Key})
	}
	return rules
}

// ViewRules are the tokens that open paths for viewing; a path that none of
// them covers is open.
func (a Auth) ViewRules() access.Rules {
	var rules access.Rules
	for _, r := range a.View {
		rules = append(rules, access.Rule{Path: string(r.Path), Key: r.Token})
	}
	return rules
}
