package builtin

import _ "embed"

// Types are the TypeScript declarations of the module millrace.
//
//go:embed types/millrace.d.ts
var Types string
