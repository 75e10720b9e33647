const ndjson = require('ndjson');
const parse = ndjson.parse();
parse.on('data', (o) => console.log(o)).on('error', (e) => console.log(e.message.split('\n')[0].slice(0, 20)));
parse.write('{"n":1}\n{"n":2,"deep":{"list":[1,2,3]}}\n');
const out = ndjson.stringify();
out.on('data', (line) => process.stdout.write(line));
out.write({ x: 'ä' });
out.end([1, null, 'two']);
parse.end('{"n":3}\n');
