import { expect, it } from 'vitest';
import { baseName, fileName, folderOf, sourceOfFile } from './media-files';

it('knows a film, a sound and a picture by their ending, however it is written', () => {
  expect(sourceOfFile('Clip.MP4', '/films/Clip.MP4')).toEqual({ kind: 'file', path: '/films/Clip.MP4', looping: true });
  expect(sourceOfFile('song.flac', '/song.flac')?.kind).toBe('file');
  expect(sourceOfFile('plate.JPeG', '/plate.JPeG')?.kind).toBe('image');
});

it('takes nothing else for a source', () => {
  for (const name of ['notes.txt', 'mp4', 'film.mp4.part', '.png.', 'archive']) expect(sourceOfFile(name, `/${name}`), name).toBeUndefined();
});

it('takes paths of every system apart', () => {
  expect(fileName('C:\\Films\\a b.mkv')).toBe('a b.mkv');
  expect(baseName('/films/a.b.mkv')).toBe('a.b');
  expect(folderOf('/films/2026/a.mkv')).toBe('/films/2026');
  expect(folderOf('C:\\Films\\a.mkv')).toBe('C:\\Films');
});
