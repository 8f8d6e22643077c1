/**
 * The draw of a giveaway, done by somebody else: from what the room published, with node's own cryptography and big
 * integers, and no line of ours. `node draw.mjs URL` does it for a draw on a server; without an address it prints the
 * vectors that the server's own test expects.
 */
import { createHash, createHmac } from 'node:crypto';

/** Places of the winners in the list of entries, as docs/crates/streamcore.md describes the draw. */
export function draw(seed, entries, winners) {
  const list = createHash('sha256').update(entries.join('\n')).digest('hex');
  const left = entries.map((_, place) => place);
  const drawn = [];
  let n = 0;
  while (drawn.length < winners && left.length > 0) {
    const places = BigInt(left.length);
    let number;
    do {
      number = BigInt('0x' + createHmac('sha256', seed).update(`${list}:${n++}`).digest('hex').slice(0, 12));
    } while (number >= (2n ** 48n / places) * places);
    drawn.push(...left.splice(Number(number % places), 1));
  }
  return drawn;
}

export const commitment = (seed) => createHash('sha256').update(seed).digest('hex');

if (process.argv[1]?.endsWith('draw.mjs')) {
  const url = process.argv[2];
  if (url) {
    const { seed, winners, ...state } = await fetch(url)
      .then((answer) => answer.json())
      .then((proof) => ({ ...proof.state, list: proof.list, count: proof.winners, said: proof.commitment }));
    const bytes = Buffer.from(seed, 'hex');
    const places = draw(bytes, state.list, state.count);
    console.log('commitment', commitment(bytes) === state.said ? 'holds' : 'DOES NOT HOLD');
    console.log('winners', JSON.stringify(places.map((at) => state.list[at])) === JSON.stringify(winners.map((one) => one.entry)) ? 'hold' : 'DO NOT HOLD');
  } else {
    const seed = (of) => Buffer.from(Array.from({ length: 32 }, (_, at) => (of + at) % 256));
    const entries = (count) => Array.from({ length: count }, (_, at) => (at * 7919 + 1).toString(16).padStart(16, '0'));
    console.log(commitment(seed(0)), draw(seed(0), entries(10), 3), draw(seed(100), entries(1000), 5));
  }
}
