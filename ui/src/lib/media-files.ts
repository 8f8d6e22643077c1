/** Files that can become a source, by their ending. */
import type { SourceSettings } from './protocol';

export const MEDIA_EXTENSIONS = ['mp4', 'mkv', 'mov', 'webm', 'm4v', 'avi', 'ts', 'flv', 'mp3', 'wav', 'flac', 'ogg', 'opus', 'm4a', 'aac'];
export const IMAGE_EXTENSIONS = ['png', 'jpg', 'jpeg', 'svg', 'webp', 'gif', 'bmp'];

/** A file's name without its folder, from either kind of path. */
export const fileName = (path: string): string => path.split(/[\\/]/).pop() ?? '';

/** A file's name without folder and ending. */
export const baseName = (path: string): string => fileName(path).replace(/\.[^.]+$/, '');

/** The folder of a file, as its path has it. */
export const folderOf = (path: string): string => path.replace(/[\\/][^\\/]*$/, '');

const isOf = (extensions: string[], name: string) => extensions.includes(/\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? '');

/** What a file would be as a source; `undefined` for one that the studio does not play. `path` is empty where it is not known. */
export function sourceOfFile(name: string, path: string): SourceSettings | undefined {
  if (isOf(IMAGE_EXTENSIONS, name)) return { kind: 'image', path };
  if (isOf(MEDIA_EXTENSIONS, name)) return { kind: 'file', path, looping: true };
  return undefined;
}
