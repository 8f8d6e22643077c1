import { expect, it } from 'vitest';
import { BOTTOM_DB, gainAt, placeOf, SILENCE_DB, stepped, TOP_DB } from './scale';

it('comes back from every place to the same gain', () => {
  for (let gain = -59; gain <= TOP_DB; gain += 0.5) expect(gainAt(placeOf(gain)), String(gain)).toBeCloseTo(gain, 0);
});

it('rises all the way', () => {
  let before = -1;
  for (let gain = BOTTOM_DB; gain <= TOP_DB; gain += 1) {
    expect(placeOf(gain)).toBeGreaterThan(before);
    before = placeOf(gain);
  }
});

it('has silence at the bottom, 0 dB at its mark, and an end at the top', () => {
  expect(gainAt(0)).toBe(SILENCE_DB);
  expect(placeOf(SILENCE_DB)).toBe(0);
  expect(placeOf(0)).toBe(0.75);
  expect(gainAt(1)).toBe(TOP_DB);
  expect(placeOf(24)).toBe(1);
});

it('steps through silence and stops at the ends', () => {
  expect(stepped(-3, 0.5)).toBe(-2.5);
  expect(stepped(BOTTOM_DB, -0.5)).toBe(SILENCE_DB);
  expect(stepped(SILENCE_DB, -6)).toBe(SILENCE_DB);
  expect(stepped(SILENCE_DB, 0.1)).toBe(BOTTOM_DB);
  expect(stepped(11.9, 6)).toBe(TOP_DB);
});
