// Dark or light: what the system says, until somebody chooses here.

const key = 'millrace.theme';

export type Theme = 'light' | 'dark';

function chosen(): Theme | null {
  const t = localStorage.getItem(key);
  return t === 'light' || t === 'dark' ? t : null;
}

export function currentTheme(): Theme {
  return chosen() ?? (matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark');
}

export function applyTheme(): void {
  const t = chosen();
  if (t) document.documentElement.dataset['theme'] = t;
}

export function toggleTheme(): Theme {
  const next = currentTheme() === 'dark' ? 'light' : 'dark';
  localStorage.setItem(key, next);
  applyTheme();
  return next;
}
