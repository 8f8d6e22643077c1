/** The studio's own window. Nothing else imports `@tauri-apps`. */
import { invoke } from '@tauri-apps/api/core';
import { open } from '@tauri-apps/plugin-dialog';
import type { EngineAddress, Host } from './host';

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
  };
}
