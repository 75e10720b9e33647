'use strict';
async function buffer(stream) {
  const parts = [];
  for await (const part of stream) parts.push(typeof part === 'string' ? Buffer.from(part) : part);
  return Buffer.concat(parts);
}
async function arrayBuffer(stream) {
  const b = await buffer(stream);
  return b.buffer.slice(b.byteOffset, b.byteOffset + b.byteLength);
}
async function text(stream) {
  const decoder = new TextDecoder();
  let all = '';
  for await (const part of stream) all += typeof part === 'string' ? part : decoder.decode(part, { stream: true });
  return all + decoder.decode();
}
async function json(stream) { return JSON.parse(await text(stream)); }
async function blob(stream) { return new Blob([await arrayBuffer(stream)]); }

module.exports = { arrayBuffer, blob, buffer, text, json };
