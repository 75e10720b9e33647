package libav

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/asticode/go-astiav"

	"github.com/millrace/millrace/transcode"
)

// Names lists what there is of a kind.
func (Engine) Names(kind transcode.OptionKind) []string { return partNames(kind) }

// Options lists the options of a part: its own, and those of all its kind.
func (Engine) Options(kind transcode.OptionKind, name string) ([]transcode.Option, error) {
	t := tableOf(kind, name)
	if t == nil {
		return nil, missing(kind, name)
	}
	return t.options(), nil
}

// Check says what is wrong with options. A description of filters is checked
// as the part, without options.
func (Engine) Check(kind transcode.OptionKind, name string, options map[string]string) error {
	if kind == transcode.FilterOptions && len(options) == 0 && tableOf(kind, name) == nil {
		return CheckGraph(name)
	}
	return CheckOptions(kind, name, options)
}

func missing(kind transcode.OptionKind, name string) error {
	return &transcode.OptionError{Kind: kind, Part: name, Nearest: nearest(name, partNames(kind))}
}

// CheckOptions says what is wrong with options by FFmpeg's own tables: nil or
// a *transcode.OptionError.
func CheckOptions(kind transcode.OptionKind, name string, options map[string]string) error {
	t := tableOf(kind, name)
	if t == nil {
		return missing(kind, name)
	}
	for _, option := range slices.Sorted(maps.Keys(options)) {
		if err := t.check(option, options[option]); err != nil {
			return err
		}
	}
	if kind == transcode.EncoderOptions {
		return t.checkParameters(options)
	}
	return nil
}

func (t *table) check(option, value string) error {
	e := &transcode.OptionError{Kind: t.kind, Part: t.part, Option: option, Value: value}
	for _, o := range t.ours {
		if o.Name != option {
			continue
		}
		if e.Wanted = wantedOfOurs(o, value); e.Wanted != "" {
			return e
		}
		return nil
	}
	found := t.find(option)
	if len(found) == 0 {
		e.Nearest = nearest(option, t.names())
		return e
	}
	if known := knownValues(t.part, option); known != nil {
		if !oneOf(known, value) {
			e.Wanted = "one of " + strings.Join(known, ", ")
			return e
		}
		return nil
	}
	for _, f := range found {
		if f.accepts(value) == nil {
			return nil
		}
	}
	e.Wanted = wanted(t.describe(found[0]))
	return e
}

// wanted says in words what an option takes.
func wanted(o transcode.Option) string {
	article := "a "
	if strings.HasPrefix(o.Type, "int") {
		article = "an "
	}
	text := article + o.Type
	switch o.Type {
	case "int", "float", "rational":
		text += fmt.Sprintf(" from %s to %s", number(o.Min), number(o.Max))
	case "duration":
		text += " in seconds or as h:mm:ss"
		if o.Min >= 0 {
			text += ", not negative"
		}
	case "flags":
		text = "flags, joined by +"
	case "bool":
		text = "true or false"
	}
	if len(o.Values) > 0 && len(o.Values) <= mostValues {
		join := ", or one of "
		if o.Type == "flags" {
			join = ", of "
		}
		text += join + strings.Join(o.Values, ", ")
	}
	return text
}

// mostValues are told in an error.
const mostValues = 24

func number(n float64) string {
	if n == float64(int64(n)) && n < 1e15 && n > -1e15 {
		return strconv.FormatInt(int64(n), 10)
	}
	return strconv.FormatFloat(n, 'g', 6, 64)
}

// shapeOptions are the options of encoders that say what frames become before
// they are coded.
func shapeOptions(c *astiav.Codec) []transcode.Option {
	if isVideo(c) {
		formats := formatNames(c)
		if len(formats) == 0 {
			formats = pixelFormats()
		}
		return []transcode.Option{{Name: "pix_fmt", Help: "pixel format of the coded pictures", Type: "pixel format", Values: formats}}
	}
	return []transcode.Option{
		{Name: "sample_fmt", Help: "sample format of what is coded", Type: "sample format", Values: sampleFormatNames(c)},
		{Name: "ar", Help: "sample rate of what is coded", Type: "int", Min: 1, Max: 768000, Values: sampleRates(c)},
		{Name: "ac", Help: "number of channels of what is coded", Type: "int", Min: 1, Max: 8},
	}
}

func wantedOfOurs(o transcode.Option, value string) string {
	if len(o.Values) > 0 {
		if slices.Contains(o.Values, value) {
			return ""
		}
		if len(o.Values) > mostValues {
			return "a " + o.Type
		}
		return "one of " + strings.Join(o.Values, ", ")
	}
	if n, err := strconv.Atoi(value); err != nil || float64(n) < o.Min || float64(n) > o.Max {
		return wanted(o)
	}
	return ""
}

// What coders take that FFmpeg's tables only know as strings.
var (
	x264Presets = []string{
		"ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo",
	}
	knownStrings = map[string]map[string][]string{
		"libx264": {
			"preset":  x264Presets,
			"tune":    {"film", "animation", "grain", "stillimage", "psnr", "ssim", "fastdecode", "zerolatency"},
			"profile": {"baseline", "main", "high", "high10", "high422", "high444"},
		},
		"libx265": {
			"preset": x264Presets,
			"tune":   {"psnr", "ssim", "grain", "zerolatency", "fastdecode", "animation"},
		},
	}
)

func knownValues(coder, option string) []string { return knownStrings[coder][option] }

// oneOf reports whether a value is known, or several joined, as x264 takes its
// tunings.
func oneOf(known []string, value string) bool {
	parts := strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(",./-+", r) })
	return len(parts) > 0 && !slices.ContainsFunc(parts, func(p string) bool { return !slices.Contains(known, p) })
}

// parameterOptions are those that hold a coder's own options, which only the
// coder can read.
var parameterOptions = []string{"x264-params", "x264opts", "x265-params", "svtav1-params"}

// checkParameters opens the smallest encoder there is with a coder's own
// options, of which FFmpeg only says in its log what is wrong.
func (t *table) checkParameters(options map[string]string) error {
	for _, name := range parameterOptions {
		value, ok := options[name]
		if !ok {
			continue
		}
		tried := value
		if name == "x265-params" {
			tried = "log-level=none:" + value // it would write by itself
		}
		if said := try(t.part, map[string]string{name: tried}); said != "" {
			return &transcode.OptionError{
				Kind: t.kind, Part: t.part, Option: name, Value: value,
				Wanted: "what " + t.part + " takes: " + said,
			}
		}
	}
	return nil
}

// try opens an encoder for a tiny picture and returns what is said of that.
func try(coder string, options map[string]string) string {
	var e encoder
	defer e.Close()
	quietSVT()
	words := listen()
	err := e.openTold(coder, options, func(c *astiav.CodecContext) error {
		c.SetWidth(64)
		c.SetHeight(64)
		c.SetPixelFormat(astiav.PixelFormatYuv420P)
		c.SetTimeBase(astiav.NewRational(1, 25))
		c.SetFramerate(astiav.NewRational(25, 1))
		c.SetThreadCount(1)
		return nil
	})
	said := words.stop()
	if said == "" && err != nil {
		said = err.Error()
	}
	return said
}
