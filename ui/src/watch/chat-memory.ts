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

/** The code of the ticket that this browser has for a room. */
export function rememberedTicket(room: string): string | undefined {
  return get(`streamcore.ticket.${room}`);
}

export function rememberTicket(room: string, code: string | undefined): void {
  put(`streamcore.ticket.${room}`, code);
}

/** What makes this browser one device of its ticket. */
export function rememberedPass(room: string): string | undefined {
  return get(`streamcore.pass.${room}`);
}

export function rememberPass(room: string, pass: string | undefined): void {
  put(`streamcore.pass.${room}`, pass);
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
