/** What a message's words are made of. Everything stays text; only http and https become links. */

export type Part = { is: 'text'; text: string } | { is: 'link'; text: string; href: string };

/** An address up to the next space or bracket. */
const ADDRESS = /\bhttps?:\/\/[^\s<>"“”«»]+/giu;
/** What ends a sentence rather than an address. */
const ENDS = /[.,;:!?…'’)\]}]+$/u;

/** The words as pieces, in order. */
export function parts(text: string): Part[] {
  const found: Part[] = [];
  let from = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const shown = withoutEnd(match[0]);
    const href = safe(shown);
    if (href === undefined) continue;
    if (match.index > from) found.push({ is: 'text', text: text.slice(from, match.index) });
    found.push({ is: 'link', text: shown, href });
    from = match.index + shown.length;
  }
  if (from < text.length) found.push({ is: 'text', text: text.slice(from) });
  return found;
}

/** A bracket that was opened inside the address belongs to it. */
function withoutEnd(address: string): string {
  const end = ENDS.exec(address);
  if (!end) return address;
  const cut = address.slice(0, end.index);
  return end[0].startsWith(')') && cut.includes('(') ? `${cut})` : cut;
}

/** The address to go to; none for anything but the web, and none with a name in front that would pass for a site. */
function safe(address: string): string | undefined {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    return undefined;
  }
  const web = url.protocol === 'http:' || url.protocol === 'https:';
  return web && url.username === '' && url.password === '' ? url.href : undefined;
}

/** Characters as the server counts them: code points. */
export function lengthOf(text: string): number {
  return [...text.normalize('NFC').replace(/\s+/gu, ' ').trim()].length;
}

/** How many colours names have in `tokens.css`. */
const COLOURS = 5;

/** The colour of a member's name, the same on every page: 1 to 5. FNV-1a spreads numbers that are alike. */
export function colourOf(member: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < member.length; at++) {
    hash = Math.imul(hash ^ member.charCodeAt(at), 0x01000193);
  }
  return ((hash ^ (hash >>> 15)) >>> 0) % COLOURS + 1;
}
