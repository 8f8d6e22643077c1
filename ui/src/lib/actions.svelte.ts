/** What keys and the command list can do: one list, so that both always agree. */
export interface Action {
  id: string;
  title: () => string;
  /** How its key is written, if it has one. */
  keys?: string;
  /** Whether it can be done now. */
  able?: () => boolean;
  run: () => void;
}

const KEY = 'studio.letterkeys';

/** Letter keys can be turned off for people who speak to their computer (WCAG 2.1.4). */
class LetterKeys {
  #on = $state(localStorage.getItem(KEY) !== 'off');

  get on() {
    return this.#on;
  }

  set on(on: boolean) {
    this.#on = on;
    localStorage.setItem(KEY, on ? 'on' : 'off');
  }
}

export const letterKeys = new LetterKeys();

/** Writes a press as the list does: `Ctrl ⇧ Z`, `Space`, `1`. */
export function written(event: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey'>): string {
  const key = event.key === ' ' ? 'Space' : event.key.length === 1 ? event.key.toUpperCase() : event.key;
  const shift = event.shiftKey && (event.ctrlKey || event.metaKey || event.key.length > 1);
  return [event.ctrlKey || event.metaKey ? 'Ctrl' : '', event.altKey ? 'Alt' : '', shift ? '⇧' : '', key].filter(Boolean).join(' ');
}

/** Whether a press belongs to what has the focus, and not to the desk. */
export function taken(event: KeyboardEvent): boolean {
  const target = event.target;
  if (event.defaultPrevented || !(target instanceof Element)) return event.defaultPrevented;
  if (target.closest('input, select, textarea, [contenteditable], dialog, [role="menu"], [role="dialog"]')) return true;
  const operates = event.key === ' ' || event.key === 'Enter';
  return operates && target.closest('button, a, [role="slider"], [role="switch"]') !== null;
}
