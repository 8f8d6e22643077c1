/** The token that makes somebody a moderator: a secret, hence in no history, no address bar and no request's address. */

const key = (room: string) => `streamcore.moderate.${room}`;

/** Takes it from the address's fragment, or from where this tab has kept it. */
export function takeToken(room: string): string | undefined {
  const given = new URLSearchParams(location.hash.slice(1)).get('token') ?? undefined;
  if (given !== undefined) {
    history.replaceState(null, '', location.pathname + location.search);
    keepToken(room, given);
    return given;
  }
  try {
    return sessionStorage.getItem(key(room)) ?? undefined;
  } catch {
    return undefined;
  }
}

export function keepToken(room: string, token: string): void {
  try {
    sessionStorage.setItem(key(room), token);
  } catch {
    // Storage can be closed to a page: then the link is needed again after a reload.
  }
}

/** The link that makes whoever opens it a moderator of this room. */
export function invitation(origin: string, room: string, token: string): string {
  return `${origin}/moderate/${encodeURIComponent(room)}#token=${encodeURIComponent(token)}`;
}
