package dash

import (
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Profiles of what is described here (ISO/IEC 23009-1 §8.4, 23000-19).
const Profiles = "urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019"

// MPD is a media presentation description (§5.3.1).
type MPD struct {
	XMLName               xml.Name `xml:"urn:mpeg:dash:schema:mpd:2011 MPD"`
	Profiles              string   `xml:"profiles,attr"`
	Type                  string   `xml:"type,attr"` // dynamic or static
	AvailabilityStartTime Time     `xml:"availabilityStartTime,attr"`
	PublishTime           Time     `xml:"publishTime,attr"`
	MinimumUpdatePeriod   Duration `xml:"minimumUpdatePeriod,attr"` // 0: it will not change any more
	Length                Duration `xml:"mediaPresentationDuration,attr"`
	TimeShiftBufferDepth  Duration `xml:"timeShiftBufferDepth,attr"`
	PresentationDelay     Duration `xml:"suggestedPresentationDelay,attr"`
	MaxSegmentDuration    Duration `xml:"maxSegmentDuration,attr"`
	MinBufferTime         Duration `xml:"minBufferTime,attr"`

	Service *ServiceDescription `xml:"ServiceDescription"`
	Periods []Period            `xml:"Period"`
	Timing  *Descriptor         `xml:"UTCTiming"`
}

// ServiceDescription says how far behind players should be (Annex K).
type ServiceDescription struct {
	ID      int     `xml:"id,attr"`
	Latency Latency `xml:"Latency"`
}

// Latency is in milliseconds behind the time at which media was there to be
// captured.
type Latency struct {
	Target int64 `xml:"target,attr"`
	Min    int64 `xml:"min,attr"`
	Max    int64 `xml:"max,attr"`
}

// Descriptor is a scheme with a value.
type Descriptor struct {
	Scheme string `xml:"schemeIdUri,attr"`
	Value  string `xml:"value,attr,omitempty"`
}

// Period is a stretch of one timeline (§5.3.2). Start counts from
// AvailabilityStartTime and never changes for an ID.
type Period struct {
	ID    string          `xml:"id,attr"`
	Start Duration        `xml:"start,attr"`
	Sets  []AdaptationSet `xml:"AdaptationSet"`
}

// AdaptationSet is what players switch within (§5.3.3).
type AdaptationSet struct {
	ID              int                 `xml:"id,attr"`
	ContentType     string              `xml:"contentType,attr"`
	MimeType        string              `xml:"mimeType,attr"`
	Language        string              `xml:"lang,attr,omitempty"`
	Aligned         bool                `xml:"segmentAlignment,attr"`
	StartWithSAP    int                 `xml:"startWithSAP,attr,omitempty"`
	Protection      []ContentProtection `xml:"ContentProtection"`
	Events          *Descriptor         `xml:"InbandEventStream"` // emsg boxes that may be in the segments
	Label           string              `xml:"Label,omitempty"`
	Role            *Descriptor         `xml:"Role"`
	Representations []Representation    `xml:"Representation"`
}

// ContentProtection says how media is encrypted, or where a key system finds
// what it needs (§5.8.4.1).
type ContentProtection struct {
	Scheme    string   `xml:"schemeIdUri,attr"`
	Value     string   `xml:"value,attr,omitempty"`
	Namespace string   `xml:"xmlns:cenc,attr,omitempty"` // of KID
	KID       string   `xml:"cenc:default_KID,attr,omitempty"`
	License   *License `xml:"dashif:Laurl"`
}

// License is where licenses are had (DASH-IF's Content Protection Schema).
type License struct {
	Namespace string `xml:"xmlns:dashif,attr"`
	Type      string `xml:"licenseType,attr"`
	URL       string `xml:",chardata"`
}

// Schemes and namespaces of ContentProtection.
const (
	ProtectionScheme = "urn:mpeg:dash:mp4protection:2011"
	ClearKeyScheme   = "urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e"
	CENCNamespace    = "urn:mpeg:cenc:2013"
	IFNamespace      = "https://dashif.org/CPS"
)

// Representation is one rendition (§5.3.5).
type Representation struct {
	ID           string          `xml:"id,attr"`
	Codecs       string          `xml:"codecs,attr"`
	Bandwidth    int             `xml:"bandwidth,attr"` // bits/s
	Width        int             `xml:"width,attr,omitempty"`
	Height       int             `xml:"height,attr,omitempty"`
	FrameRate    string          `xml:"frameRate,attr,omitempty"`
	SamplingRate int             `xml:"audioSamplingRate,attr,omitempty"`
	Channels     *Descriptor     `xml:"AudioChannelConfiguration"`
	Template     SegmentTemplate `xml:"SegmentTemplate"`
}

// SegmentTemplate names segments by number (§5.3.9.4). Times are in ticks of
// Timescale.
type SegmentTemplate struct {
	Timescale          int     `xml:"timescale,attr"`
	PresentationOffset int64   `xml:"presentationTimeOffset,attr"` // media time at the start of the Period
	AvailabilityOffset Seconds `xml:"availabilityTimeOffset,attr"` // how much earlier than whole a segment can be fetched
	Complete           *bool   `xml:"availabilityTimeComplete,attr"`
	StartNumber        uint64  `xml:"startNumber,attr"`
	Initialization     string  `xml:"initialization,attr"`
	Media              string  `xml:"media,attr"`
	Timeline           []S     `xml:"SegmentTimeline>S"`
}

// S is a run of segments of equal duration (§5.3.9.6), in ticks.
type S struct {
	Time     int64 `xml:"t,attr"`
	Duration int64 `xml:"d,attr"`
	Repeat   int   `xml:"r,attr,omitempty"` // how many more
}

// Add lists one more segment.
func (t *SegmentTemplate) Add(time, duration int64) {
	if n := len(t.Timeline); n > 0 {
		last := &t.Timeline[n-1]
		if last.Duration == duration && last.Time+int64(last.Repeat+1)*duration == time {
			last.Repeat++
			return
		}
	}
	t.Timeline = append(t.Timeline, S{Time: time, Duration: duration})
}

// Append writes the description behind b.
func (m *MPD) Append(b []byte) ([]byte, error) {
	text, err := xml.MarshalIndent(m, "", " ")
	if err != nil {
		return nil, fmt.Errorf("write MPD: %w", err)
	}
	return append(append(append(b, xml.Header...), text...), '\n'), nil
}

// ChannelsScheme counts channels by a number (ISO/IEC 23001-8).
const ChannelsScheme = "urn:mpeg:dash:23003:3:audio_channel_configuration:2011"

// Time is an attribute of type xs:dateTime, left out where it is zero.
type Time time.Time

// MarshalXMLAttr implements xml.MarshalerAttr.
func (t Time) MarshalXMLAttr(name xml.Name) (xml.Attr, error) {
	if time.Time(t).IsZero() {
		return xml.Attr{}, nil
	}
	return xml.Attr{Name: name, Value: time.Time(t).UTC().Format("2006-01-02T15:04:05.000Z")}, nil
}

// Duration is an attribute of type xs:duration. The zero value is left out,
// but for the start of a Period.
type Duration time.Duration

// MarshalXMLAttr implements xml.MarshalerAttr.
func (d Duration) MarshalXMLAttr(name xml.Name) (xml.Attr, error) {
	if d == 0 && name.Local != "start" {
		return xml.Attr{}, nil
	}
	return xml.Attr{Name: name, Value: "PT" + Seconds(d).text() + "S"}, nil
}

// Seconds is an attribute in decimal seconds, left out where it is zero.
type Seconds time.Duration

// MarshalXMLAttr implements xml.MarshalerAttr.
func (s Seconds) MarshalXMLAttr(name xml.Name) (xml.Attr, error) {
	if s == 0 {
		return xml.Attr{}, nil
	}
	return xml.Attr{Name: name, Value: s.text()}, nil
}

// text has microseconds where there are some.
func (s Seconds) text() string {
	text := strconv.FormatFloat(time.Duration(s).Round(time.Microsecond).Seconds(), 'f', 6, 64)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
