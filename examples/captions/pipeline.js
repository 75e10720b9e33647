// The picture's half of the captions: burns in what the app sends, and has it in the subtitles at the same time. See app.js.
import { pipeline } from 'node:stream/promises';
import { decode, filter, hls, ladder } from 'millrace';

/** escape is a text as an option of drawtext's reinit command. */
const escape = (text) => text.replace(/[\\':]/g, '\\$&');

export default async function (source, ctx) {
  const draw = filter("drawtext@caption=expansion=none:text=' ':x=(w-tw)/2:y=h-th-h/12:fontsize=h/14:fontcolor=white:box=1:boxcolor=black@0.7:boxborderw=10");
  let timer;
  ctx.on('caption', ({ text, seconds }) => {
    const show = (t) => draw.command('drawtext@caption', 'reinit', `text=${escape(t) || "' '"}`);
    clearTimeout(timer);
    show(text);
    timer = setTimeout(show, seconds * 1000, '');
    ctx.caption({ subtitles: 'en', text, time: ctx.clock.now(), duration: seconds });
  });

  const rungs = ladder('auto');
  source.video.pipe(decode()).pipe(draw).pipe(rungs);
  source.audio.pipe(rungs);
  await pipeline(rungs, hls());
}
