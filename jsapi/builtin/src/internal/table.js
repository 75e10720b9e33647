'use strict';
// console.table's drawing.
const { inspect } = require('../node/util.js');

const width = (text) => [...text.replace(/\x1b\[\d+m/g, '')].length;
const padded = (text, room) => ` ${text}${' '.repeat(room - width(text) - 1)}`;

function draw(head, rows) {
  const widths = head.map((title, i) => Math.max(width(title), ...rows.map((r) => width(r[i] ?? ''))) + 2);
  const line = (l, m, r) => l + widths.map((w) => '─'.repeat(w)).join(m) + r;
  const row = (cells) => `│${widths.map((w, i) => padded(cells[i] ?? '', w)).join('│')}│`;
  return [line('┌', '┬', '┐'), row(head), line('├', '┼', '┤'), ...rows.map(row), line('└', '┴', '┘')].join('\n');
}

module.exports = function table(data, columns, options) {
  const show = (v) => inspect(v, { ...options, maxArrayLength: 3, breakLength: Infinity, depth: v !== null && typeof v === 'object' && !Array.isArray(v) && Object.keys(v).length > 2 ? -1 : 0 });
  const mapped = data instanceof Map;
  const set = data instanceof Set;
  const entries = mapped ? [...data].map((e, i) => [i, e]) : set ? [...data].map((v, i) => [i, v]) : Object.entries(data);
  if (mapped) return draw(['(iteration index)', 'Key', 'Values'], entries.map(([i, [k, v]]) => [`${i}`, show(k), show(v)]));
  const keys = columns ? [...columns] : [];
  let values = false;
  for (const [, v] of entries) {
    if (v === null || typeof v !== 'object') values = true;
    else if (!columns) for (const k of Object.keys(v)) if (!keys.includes(k)) keys.push(k);
  }
  const head = [set ? '(iteration index)' : '(index)', ...keys, ...(values ? ['Values'] : [])];
  const rows = entries.map(([i, v]) => {
    const plain = v === null || typeof v !== 'object';
    const cells = keys.map((k) => !plain && Object.hasOwn(v, k) ? show(v[k]) : '');
    return [`${i}`, ...cells, ...(values ? [plain ? show(v) : ''] : [])];
  });
  return draw(head, rows);
};
