import { beforeAll, expect, it, vi } from 'vitest';

// Where the desk runs there is always a storage; here it is made, before the module looks for it.
vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => {} });
let written: typeof import('./actions.svelte').written;
beforeAll(async () => ({ written } = await import('./actions.svelte')));

const press = (key: string, held: Partial<KeyboardEvent> = {}) =>
  written({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...held });

it('writes presses as the list of keys does', () => {
  expect(press('z', { ctrlKey: true })).toBe('Ctrl Z');
  expect(press('Z', { ctrlKey: true, shiftKey: true })).toBe('Ctrl ⇧ Z');
  expect(press('z', { metaKey: true })).toBe('Ctrl Z');
  expect(press(' ')).toBe('Space');
  expect(press('3')).toBe('3');
  expect(press('?', { shiftKey: true })).toBe('?');
});
