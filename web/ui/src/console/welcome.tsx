import type { ServerInfo } from '../shared/api';
import { CopyLine } from '../shared/copy';

/** What an empty server shows: how to fill it. */
export function Welcome({ info }: { info: ServerInfo | null }) {
  const rtsp = info?.publish.find((p) => p.startsWith('rtsp:')) ?? `rtsp://${location.hostname}:8554/`;
  const rtmp = info?.publish.find((p) => p.startsWith('rtmp:'));
  const path = 'demo';
  const target = rtsp + path;
  return (
    <section class="welcome">
      <h1>Nothing is live yet</h1>
      <p class="lead">Publish to this server and the stream appears here by itself. The last part of the address is the stream's name, and you choose it.</p>
      <div class="ways">
        <Way title="A test picture, with FFmpeg">
          <CopyLine label="the command" text={`ffmpeg -re -f lavfi -i testsrc2=size=1280x720:rate=30 -f lavfi -i sine -c:v libx264 -preset veryfast -tune zerolatency -g 60 -c:a aac -f rtsp ${target}`} />
        </Way>
        <Way title="A file, with FFmpeg">
          <CopyLine label="the command" text={`ffmpeg -re -stream_loop -1 -i FILE.mp4 -c copy -f rtsp ${target}`} />
        </Way>
        <Way title="A camera, with GStreamer">
          <CopyLine label="the command" text={`gst-launch-1.0 v4l2src ! videoconvert ! x264enc tune=zerolatency key-int-max=60 ! rtspclientsink location=${target}`} />
        </Way>
        {rtmp ? (
          <Way title="OBS Studio">
            <ol>
              <li>Settings, Stream, Service: <b>Custom</b></li>
              <li>Server <code>{rtmp.replace(/\/$/, '')}</code>, Stream Key <code>{path}</code></li>
              <li>Output, Keyframe Interval: <b>2 s</b>; then Start Streaming</li>
            </ol>
          </Way>
        ) : (
          <Way title="OBS Studio">
            <ol>
              <li>Settings, Output, Mode <b>Advanced</b>, Recording, Type <b>Custom Output (FFmpeg)</b></li>
              <li>Output to URL <code>{target}</code>, Container Format <code>rtsp</code></li>
              <li>Video encoder <code>libx264</code>, Keyframe interval <b>60</b>; then Start Recording</li>
            </ol>
          </Way>
        )}
      </div>
      <p class="dim">From another machine, publishing needs a key: append <code>?key=KEY</code>, with a key of <code>auth.publish</code> in the configuration. See also the <a href="/api/docs">API</a>.</p>
    </section>
  );
}

function Way({ title, children }: { title: string; children: preact.ComponentChildren }) {
  return <div class="way"><h2>{title}</h2>{children}</div>;
}
