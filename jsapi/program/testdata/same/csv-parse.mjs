import { parse } from 'csv-parse';
import { parse as sync } from 'csv-parse/sync';
import { pipeline } from 'node:stream/promises';
console.log(sync('a,b\n1,"x, y"\n2,"q""q"\n', { columns: true }));
const rows = [];
await pipeline(['id;name\n1;Zoë\n', '2;"two\nlines"\n'], parse({ delimiter: ';', columns: true, cast: (v, c) => c.column === 'id' && !c.header ? Number(v) : v }),
  async (source) => { for await (const row of source) rows.push(row); });
console.log(rows);
try { sync('a,b\n1\n', { columns: true }); } catch (e) { console.log(e.code, e.message); }
