// Package config reads Millrace's configuration: a YAML file, environment
// variables and command line flags, each beating the one before it, over the
// defaults that Default returns.
//
// What comes in is bytes nobody has checked; what goes out is a Config that
// needs no further checking, or Errors that name file, line, column and the
// nearest right key, as many of them as can be found in one pass. The structs
// below are the format: their field tags hold each key's name, its bounds, what
// a reload does with it and the sentence that docs/config.md prints.
//
// Config values are not changed after Load; any goroutine may read them.
// A reload is a second Load and a Diff of the two.
package config

//go:generate go test -run TestDocsAreFresh -update
