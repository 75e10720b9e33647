'use strict';
// Addresses as text, and lists of them.
const { argument, invalid } = require('../errors.js');

const four = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.|$)){4}(?<!\.)$/;

const isIPv4 = (s) => four.test(`${s}`);

function isIPv6(s) {
  s = `${s}`;
  const zone = s.indexOf('%');
  if (zone >= 0) {
    if (!/^[0-9a-zA-Z\-.:]+$/.test(s.slice(zone + 1))) return false;
    s = s.slice(0, zone);
  }
  return groups(s) !== undefined;
}

/** groups is the eight numbers of an IPv6 address, undefined where it is none. */
function groups(s) {
  const last = s.lastIndexOf(':');
  if (last < 0) return undefined;
  const tail = s.slice(last + 1);
  if (tail.includes('.')) {
    if (!isIPv4(tail)) return undefined;
    const b = tail.split('.').map(Number);
    s = `${s.slice(0, last + 1)}${(b[0] * 256 + b[1]).toString(16)}:${(b[2] * 256 + b[3]).toString(16)}`;
  }
  const halves = s.split('::');
  if (halves.length > 2) return undefined;
  const parse = (half) => half === '' ? [] : half.split(':').map((g) => /^[0-9a-fA-F]{1,4}$/.test(g) ? parseInt(g, 16) : NaN);
  const [head, rest = []] = halves.map(parse);
  const n = head.length + rest.length;
  if (halves.length === 1 ? n !== 8 : n > 7) return undefined;
  const all = [...head, ...new Array(8 - n).fill(0), ...rest];
  return all.some(Number.isNaN) ? undefined : all;
}

const isIP = (s) => isIPv4(s) ? 4 : isIPv6(s) ? 6 : 0;

/** number is an address as one number, IPv4 among IPv6's mapped ones. */
function number(address) {
  if (isIPv4(address)) return address.split('.').reduce((n, b) => n * 256n + BigInt(b), 0xffffn);
  return groups(address.split('%')[0]).reduce((n, g) => n * 65536n + BigInt(g), 0n);
}

class BlockList {
  #rules = [];
  #text = [];
  addAddress(address, family = 'ipv4') { this.#add(address, address, `Address: ${label(family)} ${address}`); }
  addRange(start, end, family = 'ipv4') {
    if (number(start) > number(end)) throw invalid('start', start, 'must come before end');
    this.#add(start, end, `Range: ${label(family)} ${start}-${end}`);
  }

  addSubnet(network, prefix, family = 'ipv4') {
    const bits = BigInt((family === 'ipv4' ? 32 : 128) - prefix);
    const from = number(network) >> bits << bits;
    this.#rules.push([from, from + (1n << bits) - 1n]);
    this.#text.unshift(`Subnet: ${label(family)} ${network}/${prefix}`);
  }

  #add(from, to, text) {
    if (!isIP(from)) throw argument('address', 'an IP address', from);
    this.#rules.push([number(from), number(to)]);
    this.#text.unshift(text);
  }

  check(address) {
    if (!isIP(address)) return false;
    const n = number(address);
    return this.#rules.some(([from, to]) => n >= from && n <= to);
  }

  get rules() { return [...this.#text]; }
}
const label = (family) => family === 'ipv6' ? 'IPv6' : 'IPv4';

module.exports = { isIP, isIPv4, isIPv6, BlockList };
