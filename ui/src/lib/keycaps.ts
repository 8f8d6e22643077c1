/** How a key is called on the keyboards of the language. */
import { m } from './paraglide/messages.js';

const NAMES: Record<string, () => string> = { Space: m.key_space, Enter: m.key_enter, Delete: m.key_delete };

export const keycap = (keys: string): string =>
  keys
    .split(' ')
    .map((key) => NAMES[key]?.() ?? key)
    .join(' ');
