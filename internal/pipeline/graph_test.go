package pipeline

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/millrace/millrace/internal/media"
	"github.com/millrace/millrace/packager"
	"github.com/millrace/millrace/transcode"
)

// refusing is a presenter that takes no cut.
type refusing struct{ err error }

func (r refusing) SetPlan(*transcode.Plan) error    { return nil }
func (r refusing) Cut(media.Cut) error              { return r.err }
func (r refusing) Write(string, media.Placed) error { return nil }
func (r refusing) Lost(...string)                   {}
func (r refusing) SetDependent()                    {}
func (r refusing) Suspend()                         {}

// A cut that the packager refuses costs viewers a segment: the log says so,
// unless nobody wants segments any more.
func TestRefusedCutIsTold(t *testing.T) {
	for err, told := range map[error]bool{
		fmt.Errorf("cut 7 after 5"):               true,
		fmt.Errorf("cut: %w", packager.ErrEnded):  false,
		fmt.Errorf("cut: %w", packager.ErrClosed): false,
	} {
		var log bytes.Buffer
		p := &Pipeline{log: slog.New(slog.NewTextHandler(&log, nil))}
		g := &p.graph
		g.log, g.owner, g.pres = p.log, (*live)(p), refusing{err}
		g.Cut(media.Cut{Segment: 7})
		if got := strings.Contains(log.String(), err.Error()); got != told {
			t.Errorf("%v: the log says %q", err, log.String())
		}
	}
}
