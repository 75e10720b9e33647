package media

import "time"

// Clock is the time of a Source that a whole runtime goes by, so that a
// script's timers fire at the same packets in every run.
type Clock struct{ now time.Duration }
