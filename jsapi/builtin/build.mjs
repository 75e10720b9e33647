// Bundles every built-in module into one script, dist/builtin.js: a function that is called once a runtime and gives
// the modules, none of them evaluated before it is asked for. modules.json is the table of them.
import { copyFile, readFile, writeFile, mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const { modules, globals } = JSON.parse(await readFile(join(here, 'modules.json'), 'utf8'));

// Packages that are Node's own modules under another name: ours take their place in the packages that ask for them.
const stand = new Map([
  ['abort-controller', 'src/internal/abort-controller.js'],
  ['process/', 'src/node/process.js'],
  ['util/', 'src/node/util.js'],
  ['qs', 'src/node/querystring.js'],
  // What stands in for what engines lack, and takes longer to load than all else: this one has it.
  ...['call-bind/callBound', 'is-nan', 'object-is', 'object-is/polyfill', 'object.assign/polyfill'].map((name) => [
    name, `src/internal/present/${name.replaceAll(/[/.]/g, '-')}.js`]),
]);
for (const [name, file] of Object.entries(modules)) {
  stand.set(name, file);
  if (name.startsWith('node:')) stand.set(name.slice('node:'.length), file);
}

// A source of ours that wants the npm package behind a module of Node's says npm:events.
const names = {
  name: 'names',
  setup(bundle) {
    bundle.onResolve({ filter: /^npm:/ }, ({ path }) => {
      const name = path.slice('npm:'.length);
      const own = createRequire(import.meta.url);
      return { path: own.resolve(own.resolve(name) === name ? `${name}/` : name) }; // Node finds its own module first
    });
    bundle.onResolve({ filter: /^[a-z]/ }, ({ path }) => {
      const file = stand.get(path);
      return file && { path: join(here, file) };
    });
  },
};

const list = (pairs) => pairs.map(([name, code]) => `  ${JSON.stringify(name)}: ${code},\n`).join('');
const entry = `exports.modules = {
${list(Object.entries(modules).map(([name, file]) => [name, `() => require(${JSON.stringify(`./${file}`)})`]))}};
exports.globals = {
${list(Object.entries(globals).map(([name, [module, key]]) => [name, JSON.stringify([module, key ?? ''])]))}};
exports.prepare = () => require('./src/internal/engine.js');
`;

await mkdir(join(here, 'dist'), { recursive: true });
const { outputFiles, metafile } = await build({
  stdin: { contents: entry, resolveDir: here, sourcefile: 'builtin' },
  bundle: true,
  write: false,
  metafile: true,
  format: 'cjs',
  platform: 'neutral',
  mainFields: ['browser', 'main'],
  // What goja cannot parse; jsapi/compile lowers users' scripts alike.
  target: 'es2022',
  supported: { 'async-generator': false, 'for-await': false, 'regexp-unicode-property-escapes': true },
  charset: 'utf8',
  logLevel: 'warning',
  plugins: [names],
});
const [{ text }] = outputFiles;
await writeFile(join(here, 'dist/builtin.js'), `(function (internalBinding, require, exports, module) {\n${text}\n})`);
// What Socket.IO serves to browsers beside its own path.
for (const name of ['socket.io.js', 'socket.io.min.js', 'socket.io.esm.min.js']) {
  await copyFile(join(here, 'node_modules/socket.io-client/dist', name), join(here, 'dist', name));
}
const packages = new Set(Object.keys(metafile.inputs).map((f) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(f)?.[1]).filter(Boolean));
console.log(`${Object.keys(modules).length} modules, ${packages.size} packages, ${(text.length / 1024).toFixed(0)} KiB`);
