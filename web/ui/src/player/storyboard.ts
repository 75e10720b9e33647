// The pictures over a seek bar: the server's storyboard, and the box that shows
// one of them where the pointer is.

export interface Picture {
  from: number; // seconds since the beginning of the playlist
  to: number;
  sheet: string; // URL
  x: number;
  y: number;
  width: number;
  height: number;
}

const seconds = (stamp: string) => stamp.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);

/** Reads the WebVTT file that the server writes; base is its URL. */
export function parse(text: string, base: string): Picture[] {
  const list: Picture[] = [];
  for (const block of text.split(/\n\n+/)) {
    const found = /^([\d:.]+) --> ([\d:.]+)\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)$/.exec(block.trim());
    if (!found) continue;
    const [, from = '', to = '', sheet = '', ...area] = found;
    const [x = 0, y = 0, width = 0, height = 0] = area.map(Number);
    list.push({ from: seconds(from), to: seconds(to), sheet: new URL(sheet, base).href, x, y, width, height });
  }
  return list;
}

/** The picture for a time; before the first one and behind the last, those. */
export function at(list: Picture[], time: number): Picture | undefined {
  return list.find((p) => time < p.to) ?? list.at(-1);
}

/** Where a storyboard stands beside the rendition whose playlist is given. */
export function beside(playlist: string, name: string): string {
  return new URL(`../${name}`, new URL(playlist, location.href)).href;
}

/** How often a bar over a live stream asks again while somebody looks, in ms. */
const fresh = 5000;

/**
 * Shows pictures over a bar that counts back from now. Nothing is asked for
 * before the pointer is over it.
 */
export class Preview {
  private list: Picture[] = [];
  private loaded = Number.NEGATIVE_INFINITY; // performance.now()
  private loading = false;
  private readonly box = document.createElement('div');
  private readonly image = document.createElement('i');
  private readonly label = document.createElement('span');

  /**
   * address is the storyboard's, if there is one; behind says how far behind
   * the end of its playlist the bar's zero is; text names a value.
   */
  constructor(private readonly bar: HTMLInputElement, private readonly address: () => string | null, private readonly behind: () => number, private readonly text: (value: number) => string) {
    this.box.className = 'preview';
    this.box.hidden = true;
    this.box.append(this.image, this.label);
    bar.after(this.box);
    bar.addEventListener('pointermove', (e) => void this.move(e));
    for (const e of ['pointerleave', 'pointercancel']) bar.addEventListener(e, () => { this.box.hidden = true; });
  }

  private async move(e: PointerEvent): Promise<void> {
    const back = this.value(e.clientX);
    this.box.hidden = false;
    this.place(e.clientX);
    this.label.textContent = this.text(back);
    await this.load();
    this.draw(back);
  }

  /** The value under the pointer: the bar runs from right to left, its thumb stays inside. */
  private value(x: number): number {
    const [r, thumb] = [this.bar.getBoundingClientRect(), 16];
    const part = (r.right - thumb / 2 - x) / Math.max(1, r.width - thumb);
    return Math.round(Math.min(1, Math.max(0, part)) * Number(this.bar.max));
  }

  private place(x: number): void {
    const parent = this.bar.parentElement?.getBoundingClientRect();
    if (parent) this.box.style.left = `${Math.round(x - parent.left)}px`;
  }

  private draw(back: number): void {
    const end = this.list.at(-1)?.to ?? 0;
    const p = at(this.list, end + (performance.now() - this.loaded) / 1000 - this.behind() - back);
    this.image.hidden = !p;
    if (!p) return;
    Object.assign(this.image.style, {
      width: `${p.width}px`, height: `${p.height}px`,
      backgroundImage: `url("${p.sheet}")`, backgroundPosition: `-${p.x}px -${p.y}px`,
    });
  }

  private async load(): Promise<void> {
    const address = this.address();
    if (!address || this.loading || performance.now() - this.loaded < fresh) return;
    this.loading = true;
    try {
      const r = await fetch(address);
      if (r.ok) this.list = parse(await r.text(), address);
    } catch {
      // the time alone is shown
    } finally {
      this.loading = false;
      this.loaded = performance.now();
    }
  }
}
