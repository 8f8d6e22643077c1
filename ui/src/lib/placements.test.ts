import { expect, it } from 'vitest';
import { placedAround } from './placements';

it('puts what was dropped around the point where it fell', () => {
  expect(placedAround({ x: 0.5, y: 0.5 })).toMatchObject({ x: 0.25, y: 0.25, width: 0.5, height: 0.5 });
});

it('keeps all of it on the canvas', () => {
  for (const [x, y] of [[0, 0], [1, 1], [0.02, 0.97]] as const) {
    for (const nth of [0, 1, 9]) {
      const place = placedAround({ x, y }, nth);
      expect(Math.min(place.x, place.y)).toBeGreaterThanOrEqual(0);
      expect(Math.max(place.x + place.width, place.y + place.height)).toBeLessThanOrEqual(1);
    }
  }
});

it('keeps files apart that fell together', () => {
  expect(placedAround({ x: 0.4, y: 0.4 }, 1).x).toBeGreaterThan(placedAround({ x: 0.4, y: 0.4 }).x);
});
