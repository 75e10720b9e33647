import type { ComponentChild } from 'preact';

/** The few icons there are, drawn on a 16 by 16 grid with lines of one weight. */
function icon(...shapes: ComponentChild[]): () => ComponentChild {
  return () => (
    <svg viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
      {shapes}
    </svg>
  );
}

export const PlayIcon = icon(<path d="M5 3.2v9.6l7.6-4.8z" />);
export const CopyIcon = icon(<rect x="5.5" y="5.5" width="8" height="8" rx="1.6" />, <path d="M10.5 3.200a1.5 1.5 0 0 0-1.3-.7H4A1.5 1.5 0 0 0 2.5 4v5.200c0 .6.3 1 .7 1.3" />);
export const CheckIcon = icon(<path d="m3 8.5 3.3 3.300L13 5" />);
export const CloseIcon = icon(<path d="m4 4 8 8M12 4l-8 8" />);
export const ThemeIcon = icon(<circle cx="8" cy="8" r="5.5" />, <path d="M8 2.500a5.5 5.5 0 0 1 0 11z" fill="currentColor" />);
export const EyeIcon = icon(<path d="M1.8 8S4 3.8 8 3.8 14.2 8 14.2 8 12 12.2 8 12.2 1.8 8 1.8 8z" />, <circle cx="8" cy="8" r="1.9" />);
export const SearchIcon = icon(<circle cx="7" cy="7" r="4.2" />, <path d="m10.2 10.2 3.3 3.3" />);
export const WarnIcon = icon(<path d="M8 2.5 1.8 13.200h12.400z" />, <path d="M8 6.800v2.800M8 11.400v.1" />);
