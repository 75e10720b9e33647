// What to give to others: the addresses of this stream, each with a button.

import type { Place } from './place';

export function share(place: Place): HTMLElement[] {
  const watch = `${location.origin}/watch/${place.path}`;
  return [
    line('Page', watch),
    line('HLS', location.origin + place.source),
    line('Embed', `<iframe src="${watch}?embed" width="640" height="360" allow="autoplay; fullscreen; picture-in-picture" frameborder="0"></iframe>`),
  ];
}

function line(name: string, text: string): HTMLElement {
  const row = document.createElement('div');
  const label = document.createElement('span');
  const box = document.createElement('div');
  const code = document.createElement('code');
  const button = document.createElement('button');
  row.className = 'row';
  label.textContent = name;
  box.className = 'copy';
  code.textContent = text;
  code.title = text;
  button.type = 'button';
  button.className = 'button quiet';
  button.textContent = 'Copy';
  button.addEventListener('click', () => void copy(code, button));
  box.append(code, button);
  row.append(label, box);
  return row;
}

async function copy(code: HTMLElement, button: HTMLButtonElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(code.textContent ?? '');
    button.textContent = 'Copied';
  } catch {
    getSelection()?.selectAllChildren(code); // plain http: the browser's own copy does it
    button.textContent = 'Selected';
  }
  setTimeout(() => (button.textContent = 'Copy'), 1600);
}
