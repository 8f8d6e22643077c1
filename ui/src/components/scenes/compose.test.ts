import { expect, it } from 'vitest';
import type { Placement } from '$lib/protocol';
import { cut } from './compose';

const whole: Placement = {
  x: 0, y: 0, width: 1, height: 1, rotation: 0, opacity: 1, fit: 'contain',
  crop: { left: 0, top: 0, right: 0, bottom: 0 },
};
const picture = { width: 40, height: 30 };

it('shows all of a picture that must be contained', () => {
  expect(cut(whole, picture, 160, 90)).toEqual({
    from: { x: 0, y: 0, width: 40, height: 30 },
    to: { x: 20, y: 0, width: 120, height: 90 },
  });
});

it('cuts two sides evenly to cover', () => {
  const { from, to } = cut({ ...whole, fit: 'cover' }, picture, 160, 90);
  expect(to).toEqual({ x: 0, y: 0, width: 160, height: 90 });
  expect(from).toEqual({ x: 0, y: 3.75, width: 40, height: 22.5 });
});

it('takes the crop off before it fits', () => {
  const { from } = cut({ ...whole, fit: 'stretch', crop: { left: 0.5, top: 0, right: 0, bottom: 0.5 } }, picture, 160, 90);
  expect(from).toEqual({ x: 20, y: 0, width: 20, height: 15 });
});
