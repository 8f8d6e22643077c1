import { expect, test } from 'vitest';
import type { Device } from '$lib/protocol';
import { anew, asks, isChoiceOf } from './devices';

const entry = (id: string): Device => ({ id, kind: 'screen', name: 'Screen', default: true, frame: null, fps: null });

test('each new choice has an id of its own that is known to ask', () => {
  const dialog = entry('portal:screen');
  const [first, second] = [anew(dialog, 1_000), anew(dialog, 2_000)];
  expect(first).not.toBe(second);
  for (const id of [dialog.id, first, second]) {
    expect(asks(id)).toBe(true);
    expect(isChoiceOf(dialog, id)).toBe(true);
    expect(isChoiceOf(entry('portal:window'), id)).toBe(false);
  }
});

test('a device that is there is no dialog', () => {
  const screen = entry('x11:HDMI-1');
  expect(asks(screen.id)).toBe(false);
  expect(isChoiceOf(screen, screen.id)).toBe(false);
});
