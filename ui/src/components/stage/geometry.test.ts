import { describe, expect, it } from 'vitest';
import type { Placement } from '$lib/protocol';
import { bounds, centre, contains, cropped, drag, lines, moved, placed, resize, resizeTo, shown, turned, turnTo, type Box } from './geometry';

const canvas = { width: 1280, height: 720 };
const whole: Placement = {
  x: 0, y: 0, width: 1, height: 1, rotation: 0, opacity: 1, fit: 'contain',
  crop: { left: 0, top: 0, right: 0, bottom: 0 },
};
const box: Box = { x: 100, y: 100, width: 320, height: 180, rotation: 0 };
const corner = (b: Box, x: number, y: number) => {
  const middle = centre(b);
  const local = turned({ x: (x * b.width) / 2, y: (y * b.height) / 2 }, b.rotation);
  return { x: middle.x + local.x, y: middle.y + local.y };
};

describe('what is shown of a box', () => {
  it('is as wide as the picture when all of it must be seen', () => {
    const { box: seen } = shown(whole, canvas, { width: 640, height: 480 });
    expect(seen).toMatchObject({ x: 160, y: 0, width: 960, height: 720 });
  });

  it('is the whole box with two sides cut when the box must be full', () => {
    const { box: seen, crop } = shown({ ...whole, fit: 'cover' }, canvas, { width: 640, height: 480 });
    expect(seen).toMatchObject({ x: 0, y: 0, width: 1280, height: 720 });
    expect(crop.top).toBeCloseTo(0.125);
    expect(crop.left).toBeCloseTo(0);
  });

  it('is the box itself while the size of the picture is unknown', () => {
    expect(shown(whole, canvas, null).box).toMatchObject({ width: 1280, height: 720 });
  });
});

describe('resizing', () => {
  it('keeps the shape, and the opposite corner where it is', () => {
    const bigger = resize(box, 'se', { x: 160, y: 10 }, true);
    expect(bigger.width / bigger.height).toBeCloseTo(16 / 9);
    expect(bigger).toMatchObject({ x: 100, y: 100, width: 480 });
  });

  it.each([0, 30, -75, 180])('pins the opposite corner of a box that is turned by %d°', (rotation) => {
    const start = { ...box, rotation };
    const end = resize(start, 'nw', { x: -40, y: 25 }, false);
    expect(corner(end, 1, 1).x).toBeCloseTo(corner(start, 1, 1).x);
    expect(corner(end, 1, 1).y).toBeCloseTo(corner(start, 1, 1).y);
  });

  it('never turns a box inside out', () => {
    const least = resize(box, 'e', { x: -10_000, y: 0 }, false);
    expect(least.width).toBeGreaterThan(0);
    expect(least.x).toBe(100);
    expect(resize(box, 'se', { x: -10_000, y: -10_000 }, true).height).toBeGreaterThan(0);
  });

  it('is drawn to a line near by, and says which', () => {
    const targets = lines(canvas, []);
    const { box: end, guides } = resizeTo(box, 'e', { x: 217, y: 0 }, false, targets, 6);
    expect(end.x + end.width).toBeCloseTo(640);
    expect(guides.x).toBe(640);
    const kept = resizeTo(box, 'se', { x: 217, y: 0 }, true, targets, 6);
    expect(kept.box.x + kept.box.width).toBeCloseTo(640);
    expect(kept.box.width / kept.box.height).toBeCloseTo(16 / 9);
  });
});

describe('moving', () => {
  const targets = lines(canvas, [{ ...box, x: 800 }]);

  it('is drawn to the canvas’s middle and to other boxes', () => {
    const middle = drag(box, { x: 376, y: 0 }, targets, 6);
    expect(middle.by.x).toBe(380);
    expect(middle.guides.x).toBe(640);
    const beside = drag({ ...box, y: 400 }, { x: 377, y: 43 }, targets, 6);
    expect(beside.by.x).toBe(380);
  });

  it('goes its own way when no line is in reach', () => {
    expect(drag({ ...box, width: 200, height: 100 }, { x: 31, y: 57 }, lines(canvas, []), 6)).toEqual({
      by: { x: 31, y: 57 }, guides: { x: undefined, y: undefined },
    });
  });

  it('stays within what the engine takes', () => {
    expect(moved(whole, { x: 1e6, y: -1e6 }, canvas)).toMatchObject({ x: 4, y: -4 });
  });
});

describe('turning', () => {
  it('points its top at the hand', () => {
    const middle = centre(box);
    expect(turnTo(box, { x: middle.x + 100, y: middle.y }, false).rotation).toBe(90);
    expect(turnTo(box, { x: middle.x, y: middle.y + 100 }, false).rotation).toBe(180);
    expect(turnTo(box, { x: middle.x - 1000, y: middle.y }, false).rotation).toBe(-90);
  });

  it('is caught by steps of 15°', () => {
    const middle = centre(box);
    const at = (degrees: number) => {
      const radians = ((degrees - 90) * Math.PI) / 180;
      return { x: middle.x + 500 * Math.cos(radians), y: middle.y + 500 * Math.sin(radians) };
    };
    expect(turnTo(box, at(31), false).rotation).toBe(30);
    expect(turnTo(box, at(37), false).rotation).toBeCloseTo(37);
    expect(turnTo(box, at(37), true).rotation).toBe(30);
  });

  it('wraps at half a turn', () => {
    expect(placed(whole, { ...box, rotation: 190 }, canvas).rotation).toBe(-170);
  });
});

describe('cropping', () => {
  it('cuts the side that was dragged and leaves the rest where it is', () => {
    const frame = { width: 1280, height: 720 };
    const cut = cropped(whole, canvas, frame, 'w', { x: 320, y: 0 });
    expect(cut.crop.left).toBeCloseTo(0.25);
    expect(cut).toMatchObject({ x: 0.25, width: 0.75, height: 1 });
    expect(shown(cut, canvas, frame).box).toMatchObject({ x: 320, width: 960, height: 720 });
  });

  it('gives back what was cut, and no more', () => {
    const frame = { width: 1280, height: 720 };
    const cut = cropped(whole, canvas, frame, 'w', { x: 320, y: 0 });
    const back = cropped(cut, canvas, frame, 'w', { x: -900, y: 0 });
    expect(back.crop.left).toBe(0);
    expect(back.x).toBeCloseTo(0);
    expect(back.width).toBeCloseTo(1);
  });

  it('always leaves something', () => {
    const cut = cropped(whole, canvas, { width: 1280, height: 720 }, 'n', { x: 0, y: 5000 });
    expect(cut.crop.top + cut.crop.bottom).toBeLessThanOrEqual(0.99);
  });
});

it('finds a turned box under the pointer', () => {
  const upright = { ...box, rotation: 90 };
  const middle = centre(upright);
  expect(contains(upright, { x: middle.x, y: middle.y + 150 })).toBe(true);
  expect(contains(upright, { x: middle.x + 150, y: middle.y })).toBe(false);
  expect(bounds(upright).right - bounds(upright).left).toBeCloseTo(180);
});
