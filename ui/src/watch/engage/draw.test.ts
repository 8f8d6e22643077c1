import { describe, expect, it } from 'vitest';
import { check, draw, readProof, type Proof } from './draw';

const { subtle } = globalThis.crypto;
const seed = (of: number) => Array.from({ length: 32 }, (_, at) => ((of + at) % 256).toString(16).padStart(2, '0')).join('');
const entries = (count: number) => Array.from({ length: count }, (_, at) => (at * 7919 + 1).toString(16).padStart(16, '0'));

/** The same numbers stand in the server's test, and `tests/viewer/draw.mjs` prints them. */
it('draws what others draw', async () => {
  expect(await draw(subtle, seed(0), entries(10), 3)).toEqual([6, 4, 3]);
  expect(await draw(subtle, seed(100), entries(1000), 5)).toEqual([111, 232, 777, 829, 694]);
  expect((await draw(subtle, seed(1), entries(3), 20)).sort()).toEqual([0, 1, 2]);
});

describe('a draw', () => {
  const list = entries(10);
  const proof: Proof = {
    commitment: '630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd',
    winners: 3,
    list,
    state: { is: 'drawn', seed: seed(0), winners: [6, 4, 3].map((at) => ({ entry: list[at]!, name: 'x' })) },
  };
  const seen = { commitment: proof.commitment, entry: list[2] };

  it('holds', async () => {
    expect(await check(subtle, proof, seen)).toEqual({ holds: true, entries: 10 });
    expect(await check(subtle, proof, { commitment: undefined, entry: undefined })).toEqual({ holds: true, entries: 10 });
  });
  it('does not when anything was changed after it was promised', async () => {
    const other = (part: Partial<Proof>) => check(subtle, { ...proof, ...part }, seen);
    expect(await other({ state: { ...proof.state, seed: seed(1) } })).toMatchObject({ because: 'seal' });
    expect(await other({ commitment: 'another', state: { ...proof.state, seed: seed(1) } })).toMatchObject({ because: 'changed' });
    expect(await other({ list: list.filter((one) => one !== list[2]) })).toMatchObject({ because: 'mine' });
    expect(await other({ list: [...list, 'ffff'] }), 'one more has entered').toMatchObject({ because: 'winners' });
    expect(await other({ state: { ...proof.state, winners: [...proof.state.winners].reverse() } })).toMatchObject({ because: 'winners' });
    expect(await other({ winners: 2 })).toMatchObject({ because: 'winners' });
  });
  it('is read with care', () => {
    expect(readProof(JSON.parse(JSON.stringify(proof)))).toEqual(proof);
    for (const wrong of [null, 1, {}, { ...proof, list: [1] }, { ...proof, state: { is: 'open' } }, { ...proof, state: { ...proof.state, seed: 'zz' } }]) {
      expect(readProof(wrong)).toBeUndefined();
    }
  });
});
