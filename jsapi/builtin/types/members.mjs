// node members.mjs [FILE...]: type-checks millrace.d.ts and the scripts named, and prints what is declared, as JSON: the
// names that the module exports, and the members of each class, interface and constant that has any. A test looks each of
// them up at run time.
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const file = here('millrace.d.ts');
const program = ts.createProgram([file, here('others.d.ts'), ...process.argv.slice(2)], {
  types: ['node'], typeRoots: [here('../node_modules/@types')], target: ts.ScriptTarget.ES2022, lib: ['lib.es2023.d.ts'],
  module: ts.ModuleKind.Preserve, moduleResolution: ts.ModuleResolutionKind.Bundler,
  allowJs: true, checkJs: true, strict: false, strictNullChecks: false, noEmit: true,
});
const checker = program.getTypeChecker();
const problems = ts.getPreEmitDiagnostics(program);
if (problems.length > 0) {
  console.error(ts.formatDiagnostics(problems, { getCanonicalFileName: (f) => f, getCurrentDirectory: () => '', getNewLine: () => '\n' }));
  process.exit(1);
}
const [declaration] = program.getSourceFile(file).statements;
const all = checker.getExportsOfModule(checker.getSymbolAtLocation(declaration.name));
const ours = (symbol) => symbol.declarations?.some((d) => d.getSourceFile().fileName === file);
const isValue = (symbol) => (symbol.flags & (ts.SymbolFlags.Value)) !== 0;

const members = {};
for (const symbol of all) {
  const type = isValue(symbol) && !(symbol.flags & ts.SymbolFlags.Class)
    ? checker.getTypeOfSymbolAtLocation(symbol, declaration) : checker.getDeclaredTypeOfSymbol(symbol);
  const named = type.getProperties().filter((p) => ours(p) && p.name !== 'prototype');
  if (named.length > 0) {
    members[symbol.name] = named.map((p) => ({ name: p.name, optional: (p.flags & ts.SymbolFlags.Optional) !== 0 }));
  }
}
console.log(JSON.stringify({ exports: all.filter(isValue).map((s) => s.name), members }));
