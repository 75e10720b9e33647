import { useEffect, useState } from 'preact/hooks';
import { api, APIError, type Recording } from '../shared/api';
import { bytes, since } from '../shared/format';

const pause = 15_000; // ms between looks

/** What streams left behind; nothing where there is none. */
export function Recordings() {
  const [list, setList] = useState<Recording[]>([]);
  const [wrong, setWrong] = useState('');
  const look = (): void => void api.recordings().then(setList, () => {}); // the feed says what is wrong
  useEffect(() => {
    look();
    const timer = setInterval(look, pause);
    return () => clearInterval(timer);
  }, []);
  const remove = async (r: Recording): Promise<void> => {
    if (!confirm(`Remove the recording of ${r.path} from ${new Date(r.start).toLocaleString()} for good?`)) return;
    try {
      await api.removeRecording(r.path, r.id);
      setWrong('');
    } catch (e) {
      setWrong(e instanceof APIError ? e.message : String(e));
    }
    look();
  };
  if (list.length === 0) return null;
  return (
    <section class="recordings" aria-label="Recordings">
      <h2>Recordings</h2>
      {wrong && <p class="dim" role="alert">{wrong}</p>}
      <div class="scroll"><table>
        <thead><tr><th>Stream</th><th>Begins</th><th class="n">Lasts</th><th class="n">Size</th><th /></tr></thead>
        <tbody>
          {list.map((r) => (
            <tr key={`${r.path}/${r.id}`}>
              <th scope="row">{r.path}</th>
              <td>{new Date(r.start).toLocaleString()}</td>
              <td class="n">{since(r.start, Date.parse(r.start) + 1000 * r.duration)}</td>
              <td class="n">{bytes(r.size)}</td>
              <td class="n">{r.writing ? <span class="dim">recording</span> : (
                <>
                  <a class="button quiet" href={r.urls.watch ?? ""}>Watch</a>
                  <button type="button" class="button quiet" onClick={() => void remove(r)}>Remove</button>
                </>
              )}</td>
            </tr>
          ))}
        </tbody>
      </table></div>
    </section>
  );
}
