'use strict';
const { Blob, File } = require('node:buffer');

class FormData {
  #all = [];
  constructor(form) {
    if (form !== undefined) throw new TypeError("FormData constructor: Argument 1 could not be converted to: undefined.");
  }

  #entry(name, value, filename) {
    if (value instanceof Blob) {
      if (!(value instanceof File) || filename !== undefined) value = new File([value], filename ?? value.name ?? 'blob', { type: value.type });
      return [`${name}`, value];
    }
    return [`${name}`, `${value}`];
  }

  append(name, value, filename) { this.#all.push(this.#entry(name, value, filename)); }
  set(name, value, filename) {
    const entry = this.#entry(name, value, filename);
    const at = this.#all.findIndex(([n]) => n === entry[0]);
    if (at < 0) {
      this.#all.push(entry);
      return;
    }
    this.#all = this.#all.filter(([n], i) => i <= at || n !== entry[0]);
    this.#all[at] = entry;
  }

  delete(name) { this.#all = this.#all.filter(([n]) => n !== `${name}`); }
  get(name) { return this.#all.find(([n]) => n === `${name}`)?.[1] ?? null; }
  getAll(name) { return this.#all.filter(([n]) => n === `${name}`).map(([, v]) => v); }
  has(name) { return this.#all.some(([n]) => n === `${name}`); }
  * entries() { for (const [n, v] of this.#all) yield [n, v]; }
  * keys() { for (const [n] of this.#all) yield n; }
  * values() { for (const [, v] of this.#all) yield v; }
  forEach(f, self) { for (const [n, v] of this.#all) f.call(self, v, n, this); }
  [Symbol.iterator]() { return this.entries(); }
  get [Symbol.toStringTag]() { return 'FormData'; }
}

const escaped = (text) => text.replace(/\n/g, '%0A').replace(/\r/g, '%0D').replace(/"/g, '%22');

const newBoundary = () => `----formdata-millrace-${crypto.randomUUID().replaceAll('-', '').slice(0, 16)}`;

/** encode is a form as multipart/form-data with a boundary. */
async function encode(form, boundary) {
  const parts = [];
  for (const [name, value] of form) {
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${escaped(name)}"`;
    if (typeof value === 'string') parts.push(Buffer.from(`${head}\r\n\r\n${value.replace(/\r?\n|\r/g, '\r\n')}\r\n`));
    else {
      parts.push(Buffer.from(`${head}; filename="${escaped(value.name)}"\r\nContent-Type: ${value.type || 'application/octet-stream'}\r\n\r\n`),
        Buffer.from(await value.arrayBuffer()), Buffer.from('\r\n'));
    }
  }
  parts.push(Buffer.from(`--${boundary}--\r\n`));
  return Buffer.concat(parts);
}

/** decode is the form in a body of a content type. */
function decode(bytes, type) {
  const form = new FormData();
  if (/^application\/x-www-form-urlencoded/i.test(type)) {
    for (const [name, value] of new URLSearchParams(bytes.toString())) form.append(name, value);
    return form;
  }
  const boundary = /^multipart\/form-data\b.*;\s*boundary=(?:"([^"]+)"|([^;]+))/i.exec(type);
  if (!boundary) throw new TypeError('Content-Type was not one of "multipart/form-data" or "application/x-www-form-urlencoded".');
  const mark = Buffer.from(`--${boundary[1] ?? boundary[2]}`);
  let at = bytes.indexOf(mark);
  while (at >= 0) {
    const start = at + mark.length + 2;
    const end = bytes.indexOf(mark, start);
    if (end < 0) break;
    const split = bytes.indexOf('\r\n\r\n', start);
    if (split < 0 || split > end) throw new TypeError('Failed to parse body as FormData.');
    const head = bytes.subarray(start, split).toString();
    const content = bytes.subarray(split + 4, end - 2);
    const name = /\bname="([^"]*)"/i.exec(head);
    const filename = /\bfilename="([^"]*)"/i.exec(head);
    const kind = /^content-type:\s*(.+)$/im.exec(head);
    if (!name) throw new TypeError('Failed to parse body as FormData.');
    const plain = (text) => text.replace(/%22/g, '"').replace(/%0D/g, '\r').replace(/%0A/g, '\n');
    if (filename) form.append(plain(name[1]), new File([content], plain(filename[1]), { type: kind?.[1].trim() ?? '' }));
    else form.append(plain(name[1]), content.toString());
    at = end;
  }
  return form;
}

module.exports = { FormData, newBoundary, encode, decode };
