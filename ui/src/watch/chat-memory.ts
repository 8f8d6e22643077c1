/** What the page keeps of its person between visits. Storage can be closed to a page: then it keeps nothing. */

const NAME = 'streamcore.chat.name';
const token = (room: string) => `streamcore.chat.${room}`;

/** Who this browser is in a room, if it was there before. */
export function rememberedToken(room: string): string | undefined {
  return get(token(room));
}

export function rememberToken(room: string, value: string | undefined): void {
  put(token(room), value);
}

/** The name that the person has chosen, in whatever room. */
export function rememberedName(): string | undefined {
  return get(NAME);
}

export function rememberName(name: string): void {
  put(NAME, name);
}

function get(key: string): string | undefined {
  try {
    return localStorage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

function put(key: string, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // It then lasts as long as the page.
  }
}
