/*
 * Samples that are encrypted by cbcs (METHOD=SAMPLE-AES in fMP4) are decrypted by the browser, which takes keys by EME's ClearKey. hls.js loads a
 * key of KEYFORMAT identity and leaves the rest to the page: here it is.
 */

import Hls from 'hls.js';

/** How many keys the browser keeps: those of what is played, and of what is near it. */
const KEPT = 16;

export function giveClearKeys(hls: Hls, video: HTMLVideoElement): void {
  const sessions = new Map<string, Promise<MediaKeySession>>();
  let keys: Promise<MediaKeys> | undefined;
  hls.on(Hls.Events.FRAG_LOADED, (_, { frag }) => {
    const { decryptdata, initSegment } = frag;
    if (decryptdata?.method !== 'SAMPLE-AES' || !decryptdata.key || !initSegment?.data) return;
    const kid = kidOf(initSegment.data);
    if (!kid || sessions.has(base64url(kid))) return;
    keys ??= ready(video);
    const name = base64url(kid);
    const session = keys.then((k) => open(k, name, base64url(decryptdata.key!)));
    session.catch((err: unknown) => console.warn('this browser does not take the key:', err));
    sessions.set(name, session);
    const [oldest, old] = [...sessions][0]!;
    if (sessions.size > KEPT) {
      sessions.delete(oldest);
      void old.then((s) => s.close()).catch(() => {});
    }
  });
}

async function ready(video: HTMLVideoElement): Promise<MediaKeys> {
  if (video.mediaKeys) return video.mediaKeys; // of the load before
  const access = await navigator.requestMediaKeySystemAccess('org.w3.clearkey', [
    {
      initDataTypes: ['keyids'],
      videoCapabilities: [{ contentType: 'video/mp4; codecs="avc1.42E01E"', encryptionScheme: 'cbcs' }],
      audioCapabilities: [{ contentType: 'audio/mp4; codecs="mp4a.40.2"', encryptionScheme: 'cbcs' }],
    },
  ]);
  const keys = await access.createMediaKeys();
  await video.setMediaKeys(keys);
  return keys;
}

async function open(keys: MediaKeys, kid: string, k: string): Promise<MediaKeySession> {
  const session = keys.createSession();
  const done = new Promise<void>((resolve, reject) => {
    session.addEventListener('message', () => {
      const set = JSON.stringify({ keys: [{ kty: 'oct', kid, k }], type: 'temporary' });
      session.update(new TextEncoder().encode(set)).then(resolve, reject);
    });
  });
  await session.generateRequest('keyids', new TextEncoder().encode(JSON.stringify({ kids: [kid] })));
  await done;
  return session;
}

/** The default KID in an initialization section: it stands in tenc, behind eight bytes (ISO/IEC 23001-7 §8.2). */
export function kidOf(section: Uint8Array): Uint8Array | undefined {
  for (let i = 0; i + 28 <= section.length; i++) {
    if (section[i] === 0x74 && section[i + 1] === 0x65 && section[i + 2] === 0x6e && section[i + 3] === 0x63) {
      return section.subarray(i + 12, i + 28);
    }
  }
  return undefined;
}

function base64url(b: Uint8Array): string {
  return btoa(String.fromCharCode(...b)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
