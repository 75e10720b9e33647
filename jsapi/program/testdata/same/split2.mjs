import split from 'split2';
import { Readable } from 'node:stream';
for await (const line of Readable.from([Buffer.from('one\ntw'), Buffer.from('o\n\nthr'), Buffer.from([0xc3]), Buffer.from([0xa9, 0x65])]).pipe(split())) console.log(JSON.stringify(line));
const parsed = Readable.from(['{"a":1}\n{"b":', '2}\nbad']).pipe(split(JSON.parse));
try { for await (const o of parsed) console.log(o); } catch (e) { console.log(e.name); }
