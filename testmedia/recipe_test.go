package testmedia

import (
	"strings"
	"testing"
	"time"
)

func TestClipsAreSound(t *testing.T) {
	names, files := map[string]bool{}, map[string]string{}
	for _, r := range Clips() {
		if names[r.Name] {
			t.Errorf("two clips are named %s", r.Name)
		}
		names[r.Name] = true
		r = r.Complete()
		if err := r.check(); err != nil {
			t.Error(err)
		}
		file, err := r.fileName()
		if err != nil {
			t.Fatal(err)
		}
		if other := files[file]; other != "" {
			t.Errorf("%s and %s are one file", r.Name, other)
		}
		files[file] = r.Name
		longer := r
		longer.Duration++
		if other, _ := longer.fileName(); other == file {
			t.Errorf("%s: a change of length does not change the file", r.Name)
		}
		if found, err := Clip(r.Name); err != nil || found.Name != r.Name {
			t.Errorf("%s: %v", r.Name, err)
		}
	}
	if _, err := Clip("no such clip"); err == nil {
		t.Error("found a clip that is not there")
	}
}

func TestRecipeTimes(t *testing.T) {
	cfr := Recipe{Name: "cfr", Duration: time.Second, Video: &VideoRecipe{Codec: "h264", Rate: NTSC}}
	if cfr.Frames() != 30 || cfr.PTS(29) != NTSC.Time(29) || (Recipe{Audio: aac()}).Frames() != 0 {
		t.Errorf("%d frames, the last at %v", cfr.Frames(), cfr.PTS(29))
	}
	vfr := Recipe{Name: "vfr", Duration: 2 * time.Second, Video: &VideoRecipe{Codec: "h264", Rate: FPS30, Variable: true}}
	steps := map[time.Duration]bool{}
	for i := 1; i < vfr.Frames(); i++ {
		steps[(vfr.PTS(i) - vfr.PTS(i-1)).Round(time.Millisecond)] = true
	}
	if len(steps) < 2 || vfr.PTS(0) != 0 {
		t.Errorf("distances are %v", steps)
	}
	if w, h := (Recipe{Video: &VideoRecipe{Width: 352, Height: 288, SampleAspectNum: 12, SampleAspectDen: 11}}).Size(); w != 384 || h != 288 {
		t.Errorf("size is %dx%d", w, h)
	}
	if w, h := (Recipe{Audio: aac()}).Size(); w != 0 || h != 0 {
		t.Errorf("size of sound is %dx%d", w, h)
	}
}

func TestImpossibleRecipes(t *testing.T) {
	for want, r := range map[string]Recipe{
		"neither":      {Name: "x"},
		"no file name": {Name: "a/b", Audio: aac()},
		"hour":         {Name: "x", Duration: 2 * time.Hour, Audio: aac()},
		"video codec":  {Name: "x", Video: &VideoRecipe{Codec: "h263"}},
		"audio codec":  {Name: "x", Audio: &AudioRecipe{Codec: "speex"}},
		"rotation":     {Name: "x", Video: &VideoRecipe{Codec: "h264", Rotation: 45}},
		"do not carry": {Name: "x", Container: "ts", Video: &VideoRecipe{Codec: "h264", Rotation: 90}},
		"frame rate":   {Name: "x", Video: &VideoRecipe{Codec: "h264", Rate: Rate{1, -1}}},
		"interlaced":   {Name: "x", Video: &VideoRecipe{Codec: "h265", Interlaced: true}},
	} {
		if _, err := r.MakeIn(t.Context(), t.TempDir()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want something about %q", err, want)
		}
	}
}
