const fs = require('fs');
const readline = require('readline');
const promises = require('readline/promises');
const { PassThrough } = require('stream');
const once = (emitter, event) => new Promise((done) => emitter.once(event, (...args) => done(args)));

async function main() {
  fs.writeFileSync('lines.txt', 'one\ntwo\r\nthree\n\nwithout an end');
  const rl = readline.createInterface({ input: fs.createReadStream('lines.txt'), crlfDelay: Infinity });
  rl.on('line', (line) => console.log('line', JSON.stringify(line)));
  await once(rl, 'close');
  for await (const line of readline.createInterface({ input: fs.createReadStream('lines.txt') })) console.log('iterated', line);
  const handle = await fs.promises.open('lines.txt');
  let n = 0;
  for await (const line of handle.readLines()) n += line.length;
  console.log(n);

  const input = new PassThrough();
  const output = new PassThrough();
  const asked = promises.createInterface({ input, output });
  const answer = asked.question('name? ');
  input.write('some');
  input.write('body\n');
  console.log(await answer, String(output.read()));
  const stop = new AbortController();
  const never = asked.question('again? ', { signal: stop.signal });
  stop.abort();
  await never.catch((e) => console.log(e.name, e.code));
  asked.close();
  await asked.question('late? ').catch((e) => console.log(e.code));
  fs.rmSync('lines.txt');
}
main();
