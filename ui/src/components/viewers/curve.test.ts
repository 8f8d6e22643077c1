import { describe, expect, it } from 'vitest';
import type { CurvePoint } from '$lib/protocol/chat';
import { drawn } from './curve';

const minute = (n: number, viewers: number, messages = 0, carted = 0): CurvePoint => ({
  minute_ms: n * 60_000,
  viewers,
  joined: 0,
  departed: 0,
  messages,
  opened: 0,
  carted,
});

describe('a show minute by minute', () => {
  it('is nothing without minutes', () => {
    expect(drawn([], 100, 50)).toEqual({ line: '', area: '', bars: [], peak: 0 });
  });

  it('reaches the top at its peak and the bottom with nobody', () => {
    const curve = drawn([minute(10, 0), minute(11, 4)], 100, 50);
    expect(curve.peak).toBe(4);
    expect(curve.line).toBe('M0 49H50L50 1H100');
    expect(curve.area).toBe('M0 49H50L50 1H100V50H0Z');
  });

  it('leaves a minute that is missing its place', () => {
    const curve = drawn([minute(0, 1), minute(3, 1)], 100, 50);
    expect(curve.bars.map((bar) => bar.x)).toEqual([0, 75]);
  });

  it('draws each kind of bar against its own highest', () => {
    const curve = drawn([minute(0, 1, 10, 1), minute(1, 1, 5, 2)], 100, 50);
    expect(curve.bars.map((bar) => [bar.messages, bar.clicks])).toEqual([
      [1, 0.5],
      [0.5, 1],
    ]);
  });
});
