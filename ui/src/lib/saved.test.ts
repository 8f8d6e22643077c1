import { expect, it } from 'vitest';
import type { Output } from './protocol';
import { SavedFiles, savedNow } from './saved';

const output = (path: string, bytes: number, parts: number, sent_bytes: number) =>
  ({ id: 'disk', sent_bytes, recording: { path, bytes, parts, free_bytes: 1, seconds_left: null } }) as Output;

it('counts every file of a recording that was split, and all their bytes', () => {
  const files = new SavedFiles();
  files.take([output('/v/a.mp4', 90, 1, 90)]);
  files.take([output('/v/a.mp4', 100, 1, 100)]);
  files.take([output('/v/b.mp4', 20, 2, 120)]);
  expect(files.end()).toEqual([{ path: '/v/b.mp4', count: 2, bytes: 120 }]);
  expect(files.end(), 'the next show begins with nothing').toEqual([]);
});

it('knows the files from before the engine came back, though it counts anew', () => {
  const files = new SavedFiles();
  files.take([output('/v/a.mp4', 100, 1, 100)]);
  files.take([]);
  files.take([output('/v/b.mp4', 40, 1, 40)]);
  expect(files.end()).toEqual([{ path: '/v/b.mp4', count: 2, bytes: 140 }]);
});

it('takes the engine at its word about files that this desk did not see', () => {
  const files = new SavedFiles();
  files.take([output('/v/c.mp4', 20, 3, 220)]);
  expect(files.end()).toEqual([{ path: '/v/c.mp4', count: 3, bytes: 220 }]);
  expect(savedNow(output('/v/c.mp4', 20, 3, 220))).toEqual({ path: '/v/c.mp4', count: 3, bytes: 220 });
});
