import { expect, it } from 'vitest';
import { FLOOR_DB, moveNeedle, restingNeedle } from './ballistics';

const quiet = { peak: -96, rms: -96 };

it('rises at once', () => {
  const needle = restingNeedle();
  moveNeedle(needle, { peak: -3, rms: -12 }, 16, 0);
  expect(needle).toMatchObject({ peak: -3, rms: -12, hold: -3 });
});

it('falls 20 dB in 1.7 s, however many frames that takes', () => {
  for (const frames of [1, 17, 170]) {
    const needle = restingNeedle();
    moveNeedle(needle, { peak: 0, rms: 0 }, 0, 0);
    for (let i = 1; i <= frames; i++) moveNeedle(needle, quiet, 1700 / frames, (i * 1700) / frames);
    expect(needle.peak).toBeCloseTo(-20, 5);
  }
});

it('holds the peak for 1.5 s and then lets it fall', () => {
  const needle = restingNeedle();
  moveNeedle(needle, { peak: -6, rms: -20 }, 0, 0);
  for (let now = 100; now <= 1500; now += 100) moveNeedle(needle, quiet, 100, now);
  expect(needle.hold).toBe(-6);
  moveNeedle(needle, quiet, 100, 1600);
  expect(needle.hold).toBeLessThan(-6);
});

it('never leaves the scale below', () => {
  const needle = restingNeedle();
  moveNeedle(needle, quiet, 60_000, 60_000);
  expect(needle).toMatchObject({ peak: FLOOR_DB, rms: FLOOR_DB, hold: FLOOR_DB });
});
