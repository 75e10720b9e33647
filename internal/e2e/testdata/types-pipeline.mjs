// What millrace.d.ts declares of a pipeline script's context is there.
import { readFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { hls, ladder } from 'millrace';

export default async function (source, ctx) {
  const { members } = JSON.parse(readFileSync(ctx.env.DECLARED, 'utf8'));
  const missing = [];
  const look = (type, object) => {
    for (const { name, optional } of members[type]) if (!optional && !(name in object)) missing.push(`${type}.${name}`);
  };
  look('Context', ctx);
  look('Log', ctx.log);
  for (const name of ['path', 'live', 'here', 'hls', 'on']) if (!(name in ctx.stream)) missing.push(`ctx.stream.${name}`);
  for (const name of ['now', 'wall']) if (!(name in ctx.clock)) missing.push(`ctx.clock.${name}`);
  ctx.send('missing', missing);
  await pipeline(source, ladder('passthrough'), hls());
}
