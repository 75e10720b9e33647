'use strict';
// What inspect writes before the braces: functions, errors, dates, boxed values.

function functionBase(value, { name, tag }) {
  const text = Function.prototype.toString.call(value);
  if (text.startsWith('class') && text.endsWith('}')) {
    const own = Object.hasOwn(value, 'name') && value.name ? value.name : '(anonymous)';
    let base = `class ${own}`;
    if (name !== 'Function' && name !== null) base += ` [${name}]`;
    if (tag !== '' && name !== tag) base += ` [${tag}]`;
    if (name === null) return `[${base} extends null]`;
    const parent = Object.getPrototypeOf(value).name;
    return parent ? `[${base} extends ${parent}]` : `[${base}]`;
  }
  let type = 'Function';
  if (/^async\s+function\s*\*|^async\s*\*/.test(text)) type = 'AsyncGeneratorFunction';
  else if (/^async\b/.test(text)) type = 'AsyncFunction';
  else if (/^function\s*\*|^\*/.test(text)) type = 'GeneratorFunction';
  let base = `[${type}`;
  if (name === null) base += ' (null prototype)';
  base += value.name === '' ? ' (anonymous)]' : `: ${typeof value.name === 'string' ? value.name : '(anonymous)'}]`;
  if (name !== type && name !== null && name !== 'Function') base += ` ${name}`;
  if (tag !== '' && name !== tag && tag !== type) base += ` [${tag}]`;
  return base;
}

// A class that does not set name is shown by its own one.
function named(stack, error, constructor, tag, prefix) {
  const name = error.name != null ? String(error.name) : 'Error';
  let length = name.length;
  const begins = name.endsWith('Error') && stack.startsWith(name) && [undefined, ':', '\n'].includes(stack[length]);
  if (constructor !== null && !begins) return stack;
  let fallback = 'Error';
  if (constructor === null) {
    const start = /^([A-Z][a-z_ A-Z0-9[\]()-]+)(?::|\n\s+at)/.exec(stack) ?? /^([a-z_A-Z0-9-]*Error)$/.exec(stack);
    fallback = start?.[1] ?? '';
    length = fallback.length;
    fallback ||= 'Error';
  }
  const full = prefix(constructor, tag, fallback).slice(0, -1);
  if (name === full) return stack;
  if (!full.includes(name)) return `${full} [${name}]${stack.slice(length)}`;
  return length === 0 ? `${full}: ${stack}` : full + stack.slice(length);
}

function errorBase(ctx, error, { name, tag, keys, prefix, normal }) {
  let stack = error.stack ? normal(String(error.stack)) : Error.prototype.toString.call(error);
  for (const key of ['name', 'message', 'stack']) {
    const i = keys.indexOf(key);
    if (i >= 0 && (typeof error[key] !== 'string' || stack.includes(error[key]))) keys.splice(i, 1);
  }
  for (const key of ['cause', 'errors']) if (Object.hasOwn(error, key) && !keys.includes(key) && (key === 'cause' || Array.isArray(error.errors))) keys.push(key);
  stack = named(stack, error, name, tag, prefix);
  const from = error.message ? stack.indexOf(error.message) : -1;
  const start = stack.indexOf('\n    at', from < 0 ? 0 : from + error.message.length);
  if (start < 0) stack = `[${stack}]`;
  return ctx.indentationLvl === 0 ? stack : stack.replaceAll('\n', `\n${' '.repeat(ctx.indentationLvl)}`);
}

function boxedBase(ctx, value, { name, tag, kind, primitive }) {
  const inner = value.valueOf();
  let base = `[${kind}`;
  if (kind !== name) base += name === null ? ' (null prototype)' : ` (${name})`;
  base += `: ${primitive({ ...ctx, stylize: (t) => t }, inner)}]`;
  if (tag !== '' && tag !== name) base += ` [${tag}]`;
  return ctx.stylize(base, kind.toLowerCase());
}

/** of gives the base, undefined where an object has none. It may change keys. */
function of(ctx, value, about) {
  const { name, tag, kind, prefix } = about;
  if (typeof value === 'function') return ctx.stylize(functionBase(value, about), 'special');
  switch (kind) {
    case 'Error': return errorBase(ctx, value, about);
    case 'RegExp': {
      const text = RegExp.prototype.toString.call(value);
      const before = prefix(name, tag, 'RegExp');
      return ctx.stylize(before === 'RegExp ' ? text : before + text, 'regexp');
    }
    case 'Date': {
      const text = Number.isNaN(value.getTime()) ? 'Invalid Date' : Date.prototype.toISOString.call(value);
      const before = prefix(name, tag, 'Date');
      return ctx.stylize(before === 'Date ' ? text : before + text, 'date');
    }
    case 'Number': case 'String': case 'Boolean': case 'BigInt': case 'Symbol': return boxedBase(ctx, value, about);
    default: return value instanceof Error ? errorBase(ctx, value, about) : undefined;
  }
}

module.exports = { of };
