package store

import (
	"os"
	"path/filepath"
	"testing"
)

func TestScratch(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dvr")
	first, err := NewScratch(dir)
	if err != nil {
		t.Fatal(err)
	}
	disk, err := first.Disk("live/cam")
	if err != nil {
		t.Fatal(err)
	}
	f, err := disk.Create("720p/1.m4s")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Remove()
	again, err := first.Disk("live/cam")
	if err != nil || again.dir == disk.dir {
		t.Fatalf("two streams share %s, %v", disk.dir, err)
	}
	if _, err := first.Disk("../out"); err == nil {
		t.Error("a name leaves the folder")
	}
	// Another process leaves alone what is in use, and removes what is not.
	second, err := NewScratch(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(disk.dir); err != nil {
		t.Error("media in use was removed")
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	first.lock.Close() // what the kernel does for a process that is killed
	third, err := NewScratch(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(disk.dir); err == nil {
		t.Error("what a killed process left is still there")
	}
	if err := third.Close(); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%d folders are left", len(left))
	}
}
