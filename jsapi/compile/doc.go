// Package compile makes one program of a user's script: the file, what it
// imports from beside it and from node_modules, as ES modules, CommonJS,
// TypeScript or JSON, lowered to what goja runs. Modules that the runtime
// brings (node:fs, millrace) stay calls of require.
//
// A Program belongs to no runtime and may run in many at the same time.
package compile
