/** Places that the desk proposes by itself; fractions of the canvas. */
import type { Placement } from './protocol';

/** The whole canvas. */
export const WHOLE: Placement = {
  x: 0,
  y: 0,
  width: 1,
  height: 1,
  rotation: 0,
  crop: { left: 0, top: 0, right: 0, bottom: 0 },
  fit: 'contain',
  opacity: 1,
};

/** What is dropped takes this share of the canvas each way: large enough to take hold of, and the rest stays in sight. */
const SHARE = 0.5;
/** Files that fall together stand this far apart, so that each can be taken by hand. */
const APART = 0.05;

/** The place of the `nth` of the files that fell on a point of the canvas: around it, and all of it on the canvas. */
export function placedAround(at: { x: number; y: number }, nth = 0): Placement {
  const edge = (value: number) => Math.min(1 - SHARE, Math.max(0, value - SHARE / 2 + nth * APART));
  return { ...WHOLE, x: edge(at.x), y: edge(at.y), width: SHARE, height: SHARE };
}
