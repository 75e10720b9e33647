'use strict';
// util.parseArgs.
const { coded, check } = require('./errors.js');

const fail = (code, message) => { throw coded(TypeError, code, message); };

module.exports = function parseArgs({ args = process.argv.slice(2), options = {}, strict = true, allowPositionals = !strict, allowNegative = false, tokens: wantTokens = false } = {}) {
  check.object(options, 'options');
  const values = Object.create(null);
  const positionals = [];
  const tokens = [];
  const byShort = (c) => Object.keys(options).find((n) => options[n].short === c);

  const store = (name, raw, value, index, inline) => {
    tokens.push({ kind: 'option', name, rawName: raw, index, value, inlineValue: inline });
    let key = name;
    let v = value;
    if (allowNegative && !options[name] && name.startsWith('no-') && options[name.slice(3)]?.type === 'boolean') {
      key = name.slice(3);
      v = false;
    }
    const o = options[key];
    if (strict) {
      if (!o) {
        fail('ERR_PARSE_ARGS_UNKNOWN_OPTION', allowPositionals ?
          `Unknown option '${raw}'. To specify a positional argument starting with a '-', place it at the end of the command after '--', as in '-- "${raw}"` :
          `Unknown option '${raw}'`);
      }
      const shown = `${o.short ? `-${o.short}, ` : ''}--${key}`;
      if (o.type === 'string' && v === undefined) fail('ERR_PARSE_ARGS_INVALID_OPTION_VALUE', `Option '${shown} <value>' argument missing`);
      if (o.type === 'boolean' && typeof v === 'string') fail('ERR_PARSE_ARGS_INVALID_OPTION_VALUE', `Option '${shown}' does not take an argument`);
    }
    if (key === '__proto__') return;
    const final = v === undefined ? true : v;
    if (o?.multiple) (values[key] ??= []).push(final);
    else values[key] = final;
  };

  const rest = [...args];
  for (let i = 0; i < rest.length; i++) {
    const arg = `${rest[i]}`;
    if (arg === '--') {
      tokens.push({ kind: 'option-terminator', index: i });
      for (let j = i + 1; j < rest.length; j++) {
        positionals.push(rest[j]);
        tokens.push({ kind: 'positional', index: j, value: rest[j] });
      }
      break;
    }
    if (arg.startsWith('--')) {
      const eq = arg.indexOf('=', 3);
      const name = eq < 0 ? arg.slice(2) : arg.slice(2, eq);
      if (eq >= 0) store(name, `--${name}`, arg.slice(eq + 1), i, true);
      else if (options[name]?.type === 'string' && i + 1 < rest.length && (!strict || !/^-./.test(rest[i + 1]))) store(name, arg, rest[++i], i - 1, false);
      else store(name, arg, undefined, i, undefined);
    } else if (arg.length > 1 && arg[0] === '-') {
      for (let j = 1; j < arg.length; j++) {
        const c = arg[j];
        const name = byShort(c) ?? c;
        if (options[name]?.type !== 'string') { store(name, `-${c}`, undefined, i, undefined); continue; }
        if (j + 1 < arg.length) store(name, `-${c}`, arg.slice(j + 1), i, true);
        else if (i + 1 < rest.length) store(name, `-${c}`, rest[++i], i - 1, false);
        else store(name, `-${c}`, undefined, i, undefined);
        break;
      }
    } else {
      if (!allowPositionals) fail('ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL', `Unexpected argument '${arg}'. This command does not take positional arguments`);
      positionals.push(arg);
      tokens.push({ kind: 'positional', index: i, value: arg });
    }
  }
  for (const [name, o] of Object.entries(options)) if (o.default !== undefined && values[name] === undefined) values[name] = o.default;
  return wantTokens ? { values, positionals, tokens } : { values, positionals };
};
