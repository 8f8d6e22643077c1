/**
 * Does the draw of a giveaway again, from what the room published: the steps stand in the server's `chat::engage::draw`
 * and in docs/crates/streamcore.md. It needs WebCrypto, which browsers have on https pages and on this machine.
 */
import type { Winner } from '../../lib/protocol/chat';

/** What `GET /api/rooms/ROOM/giveaways/ID` answers. */
export interface Proof {
  commitment: string;
  winners: number;
  list: string[];
  state: { is: 'drawn'; seed: string; winners: Winner[] };
}

/** What the page knew before the draw. */
export interface Seen {
  commitment: string | undefined;
  entry: string | undefined;
}

export type Verdict = { holds: true; entries: number } | { holds: false; because: 'seal' | 'changed' | 'mine' | 'winners' };

/** Numbers have 48 bits. */
const NUMBERS = 2 ** 48;
const HEX_SEED = /^[0-9a-f]{64}$/;

/** Reads what came over the wire; nothing else than a proof gets in. */
export function readProof(value: unknown): Proof | undefined {
  const proof = value as Partial<Proof> | null;
  if (typeof proof !== 'object' || proof === null) return undefined;
  const { commitment, winners, list, state } = proof;
  if (typeof commitment !== 'string' || typeof winners !== 'number' || !Array.isArray(list) || state?.is !== 'drawn') return undefined;
  if (!HEX_SEED.test(state.seed) || !Array.isArray(state.winners) || !list.every((one) => typeof one === 'string')) return undefined;
  return { commitment, winners, list, state };
}

const hex = (bytes: ArrayBuffer): string => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');
const bytesOf = (digits: string): Uint8Array<ArrayBuffer> => Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const text = (words: string): Uint8Array<ArrayBuffer> => Uint8Array.from(new TextEncoder().encode(words));

/** Places of the winners in the list, in the order in which they are drawn. */
export async function draw(subtle: SubtleCrypto, seed: string, list: readonly string[], winners: number): Promise<number[]> {
  const key = await subtle.importKey('raw', bytesOf(seed), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const digest = hex(await subtle.digest('SHA-256', text(list.join('\n'))));
  let count = 0;
  const number = async () => {
    const tag = new Uint8Array(await subtle.sign('HMAC', key, text(`${digest}:${count++}`)));
    return tag.slice(0, 6).reduce((value, byte) => value * 256 + byte, 0);
  };
  const left = list.map((_, place) => place);
  const drawn: number[] = [];
  while (drawn.length < winners && left.length > 0) {
    const fair = NUMBERS - (NUMBERS % left.length);
    let value = await number();
    while (value >= fair) value = await number();
    drawn.push(...left.splice(value % left.length, 1));
  }
  return drawn;
}

/** Whether the draw is what was promised. */
export async function check(subtle: SubtleCrypto, proof: Proof, seen: Seen): Promise<Verdict> {
  const { commitment, list, state } = proof;
  if (seen.commitment !== undefined && seen.commitment !== commitment) return { holds: false, because: 'changed' };
  if (hex(await subtle.digest('SHA-256', bytesOf(state.seed))) !== commitment) return { holds: false, because: 'seal' };
  if (seen.entry !== undefined && !list.includes(seen.entry)) return { holds: false, because: 'mine' };
  const places = await draw(subtle, state.seed, list, proof.winners);
  const same = places.length === state.winners.length && places.every((place, at) => list[place] === state.winners[at]?.entry);
  return same ? { holds: true, entries: list.length } : { holds: false, because: 'winners' };
}
