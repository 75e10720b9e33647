// Asks a service of yours who may publish. It gets a POST with what is known of the publisher and answers with JSON:
// { "allow": true }, perhaps with a "path" to put the stream elsewhere, or { "allow": false, "reason": "…" }.
//
//   # millrace.yaml
//   app: admission.js
//   env: [ADMISSION]
//
//   ADMISSION=http://localhost:3000/publish millrace serve -c millrace.yaml
import { on } from 'millrace';

const service = process.env.ADMISSION ?? 'http://localhost:3000/publish';

on('publish', { timeout: '5s', onTimeout: 'deny' }, async ({ path, protocol, ip, userAgent, query, tracks }) => {
  const response = await fetch(service, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ path, protocol, ip, userAgent, query, codecs: tracks?.map((t) => t.codec) }),
    signal: AbortSignal.timeout(3000),
  });
  if (!response.ok) throw new Error(`the admission service answers ${response.status}`);
  const answer = /** @type {any} */ (await response.json());
  if (!answer.allow) throw new Error(answer.reason ?? 'not allowed');
  console.log(`${path} from ${ip}: let in`);
  return { path: answer.path };
});
