import { expect, it } from 'vitest';
import { goodCanvas, named, UPRIGHT, WIDE } from './presets';

it('offers only what the engine takes', () => {
  for (const size of [...WIDE, ...UPRIGHT]) {
    expect(goodCanvas(size)).toBe(true);
    expect(named(size)).toBe(true);
  }
});

it('knows what is no canvas', () => {
  for (const [width, height] of [[1281, 720], [62, 64], [3842, 2160], [2400, 2400], [Number.NaN, 720], [1280.5, 720]] as const) {
    expect(goodCanvas({ width, height }), `${width}×${height}`).toBe(false);
  }
});
