import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Hand } from './hand.svelte';

interface Strip {
  gain: number;
  muted: boolean;
}

/** An engine that answers after `delay` and then says what it was told. */
function desk(delay: number) {
  const sent: { at: number; strip: Strip }[] = [];
  let engine: Strip = { gain: 0, muted: false };
  const hand = new Hand<Strip>({
    engine: () => engine,
    send: async (strip) => {
      sent.push({ at: performance.now(), strip });
      await new Promise((done) => setTimeout(done, delay));
      engine = strip;
    },
  });
  return { hand, sent, engine: () => engine };
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** A drag of one second with a move every two milliseconds. */
async function drag(hand: Hand<Strip>) {
  for (let n = 1; n <= 500; n++) {
    hand.ask({ gain: -n / 10 });
    await vi.advanceTimersByTimeAsync(2);
  }
}

it('sends at most thirty a second, the first at once and the last always', async () => {
  const { hand, sent, engine } = desk(1);
  hand.ask({ gain: -0.1 });
  expect(sent).toHaveLength(1);
  await drag(hand);
  await vi.advanceTimersByTimeAsync(100);
  const gaps = sent.slice(1).map(({ at }, n) => at - sent[n]!.at);
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(33);
  expect(sent.length, 'and not much less').toBeGreaterThan(25);
  expect(sent.at(-1)?.strip.gain).toBe(-50);
  expect(engine().gain).toBe(-50);
});

it('asks a slow engine for one thing at a time', async () => {
  const { hand, sent, engine } = desk(200);
  await drag(hand);
  expect(sent.length).toBeLessThanOrEqual(6);
  await vi.advanceTimersByTimeAsync(500);
  expect(engine().gain).toBe(-50);
});

it('keeps the fader where the hand put it when a mute comes before the answer', async () => {
  const { hand, sent } = desk(50);
  hand.ask({ gain: -12 });
  hand.ask({ muted: true });
  expect(hand.value).toEqual({ gain: -12, muted: true });
  await vi.advanceTimersByTimeAsync(200);
  expect(sent.map(({ strip }) => strip)).toEqual([
    { gain: -12, muted: false },
    { gain: -12, muted: true },
  ]);
});

it('gives way to the engine once it has answered', async () => {
  let engine: Strip = { gain: 0, muted: false };
  const hand = new Hand<Strip>({ engine: () => engine, send: async () => {} });
  hand.ask({ gain: 6 });
  expect(hand.value.gain).toBe(6);
  await vi.advanceTimersByTimeAsync(1);
  expect(hand.value.gain, 'what was refused is not shown any longer').toBe(0);
  engine = { gain: -3, muted: false };
  expect(hand.value.gain, 'another desk moved it').toBe(-3);
});

it('sends nothing more for a strip that went away', async () => {
  const { hand, sent } = desk(1);
  await drag(hand);
  const before = sent.length;
  hand.ask({ gain: 3 });
  hand.stop();
  await vi.advanceTimersByTimeAsync(100);
  expect(sent).toHaveLength(before);
});
