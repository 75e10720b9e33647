// Burns a text and a running clock into the picture, and makes the usual ladder of the result. The sound passes untouched.
//
//   # millrace.yaml
//   env: [WATERMARK]
//   streams: [{path: cam, pipeline: watermark.js}]
//
//   WATERMARK='Mill pond' millrace serve -c millrace.yaml
//   ffmpeg -re -i clip.mp4 -c copy -f rtsp rtsp://localhost:8554/cam
import { pipeline } from 'node:stream/promises';
import { decode, filter, hls, ladder } from 'millrace';

/** escape is a text as drawtext wants it: quoted once for the graph and once for the text. */
const escape = (text) => text.replace(/[\\':]/g, '\\$&').replace(/[\\',;[\]]/g, '\\$&');

export default async function (source, { env }) {
  const style = 'fontcolor=white:box=1:boxcolor=black@0.6:boxborderw=8';
  const burn = filter([
    `drawtext=expansion=none:text=${escape(env.WATERMARK ?? 'LIVE')}:x=16:y=h-th-16:fontsize=h/14:${style}`,
    `drawtext=text='%{localtime\\:%T}':x=w-tw-16:y=h-th-16:fontsize=h/14:${style}`,
  ].join(','));

  const rungs = ladder('auto');
  source.video.pipe(decode()).pipe(burn).pipe(rungs); // frames, which never come by here
  source.audio.pipe(rungs); //                           packets, as they are
  await pipeline(rungs, hls());
}
