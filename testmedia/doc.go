// Package testmedia makes media whose content can be checked: moving pictures
// that carry their frame number and wall-clock time, and sound that beeps at
// each whole second of the wall clock. Tests, benchmarks and the demo camera
// use it; it imports the standard library only.
//
//   - Picture draws. Every picture says its Stamp twice: in letters for a
//     person, and as a strip of black and white blocks that DecodeStrip reads
//     again after scaling, transcoding and taking a screenshot. So lost,
//     doubled and late frames can be counted, and glass-to-glass latency
//     measured.
//   - Sound beeps, and FindBeeps finds the beeps again, to the millisecond and
//     with the number of the second.
//   - Recipe describes a clip, Clips lists the ready ones, and Recipe.Make
//     pipes pictures and sound into the ffmpeg command once and keeps the file.
//   - Camera delivers pictures and sound in real time.
//
// Sub-packages hold what only tests need: tools runs real publishers and
// readers, browser drives a headless Chromium.
package testmedia
