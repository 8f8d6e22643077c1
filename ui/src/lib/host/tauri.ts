/** The studio's own window. Nothing else imports `@tauri-apps`. */
import { invoke } from '@tauri-apps/api/core';
import { getCurrentWebviewWindow } from '@tauri-apps/api/webviewWindow';
import { open } from '@tauri-apps/plugin-dialog';
import { fileName } from '$lib/media-files';
import type { EngineAddress, FileWatcher, Host } from './host';

export function tauriHost(): Host {
  return {
    opensLinks: false,
    engine: () => invoke<EngineAddress>('engine'),
    retryEngine: () => invoke<void>('retry_engine'),
    choosePath: ({ folder, title, extensions }) =>
      open({
        directory: folder,
        multiple: false,
        title,
        filters: extensions ? [{ name: title, extensions }] : undefined,
      }),
    watchFiles,
  };
}

/**
 * Tauri calls every place physical pixels, but GTK and macOS give it those of the page already; only Windows counts
 * the screen's.
 */
const pixelsPerPixel = () => (navigator.userAgent.includes('Windows') ? devicePixelRatio : 1);

function watchFiles(watcher: FileWatcher): () => void {
  const at = ({ x, y }: { x: number; y: number }) => ({ x: x / pixelsPerPixel(), y: y / pixelsPerPixel() });
  const listening = getCurrentWebviewWindow().onDragDropEvent(({ payload }) => {
    if (payload.type === 'leave') watcher.left();
    else if (payload.type === 'drop') watcher.dropped(at(payload.position), payload.paths.map((path) => ({ path, name: fileName(path) })));
    else watcher.over(at(payload.position));
  });
  // Without the shell's leave for events files cannot be dropped; everything else works as before.
  listening.catch(() => {});
  return () => void listening.then((stop) => stop()).catch(() => {});
}
