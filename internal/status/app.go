package status

// App is how the app, the user's own script beside the server, is.
type App struct {
	State    string `json:"state" enum:"starting,running,down"`
	PID      int    `json:"pid,omitempty"`
	Restarts int    `json:"restarts" doc:"How often it was started again after it died"`
	Error    string `json:"error,omitempty" doc:"Why it is down, or why the newest script does not run"`
}
