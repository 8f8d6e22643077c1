/** Endings of media files that the first-run steps offer. */
export const MEDIA_EXTENSIONS = ['mp4', 'mkv', 'mov', 'webm', 'm4v', 'avi', 'ts', 'flv', 'mp3', 'wav', 'flac', 'ogg', 'opus', 'm4a', 'aac'];
