import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { HOLD_MS, HoldToEnd } from './hold.svelte';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('ends after a second of holding, not a moment before', () => {
  const end = vi.fn();
  const hold = new HoldToEnd(end);
  hold.press();
  vi.advanceTimersByTime(HOLD_MS - 1);
  expect(end).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(end).toHaveBeenCalledTimes(1);
});

it('does nothing when it is let go early', () => {
  const end = vi.fn();
  const hold = new HoldToEnd(end);
  hold.press();
  vi.advanceTimersByTime(HOLD_MS / 2);
  hold.release();
  vi.advanceTimersByTime(HOLD_MS * 3);
  expect(end).not.toHaveBeenCalled();
});

it('ends at the second Enter; a held key is one Enter, and a late one is the first again', () => {
  const end = vi.fn();
  const hold = new HoldToEnd(end);
  hold.key(false);
  hold.key(true);
  expect(end).not.toHaveBeenCalled();
  vi.advanceTimersByTime(5000);
  hold.key(false);
  expect(end).not.toHaveBeenCalled();
  hold.key(false);
  expect(end).toHaveBeenCalledTimes(1);
});
