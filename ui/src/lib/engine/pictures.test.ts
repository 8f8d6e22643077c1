import { expect, it } from 'vitest';
import { PictureKind } from '$lib/protocol';
import { parsePicture } from './pictures';

it('takes a picture apart as the engine put it together', () => {
  const message = new Uint8Array([3, 3, 99, 97, 109, 0xff, 0xd8]).buffer;
  expect(parsePicture(message)).toEqual({ kind: PictureKind.Source, id: 'cam', jpeg: new Uint8Array([0xff, 0xd8]) });
});

it('refuses what is cut short, unknown or no text', () => {
  for (const bytes of [[], [1], [3, 5, 99], [9, 0, 1], [0, 0], [3, 1, 0xff]]) {
    expect(parsePicture(new Uint8Array(bytes).buffer), String(bytes)).toBeUndefined();
  }
});
