/** Where the desk runs, and what that place can do: a browser's page or the studio's own window. */

import { keepPage, watchFilesOfPage } from './page-files';

/** Where the engine listens and what it wants to hear first. */
export interface EngineAddress {
  /** Its HTTP address, without a path. */
  address: string;
  token: string;
}

/** A file that was let go over the desk. */
export interface DroppedFile {
  name: string;
  /** Absolute path; absent where the host is not told, as in a browser. */
  path?: string;
}

/** Files that are dragged in from another program. Places are CSS pixels of the page. */
export interface FileWatcher {
  over(at: { x: number; y: number }): void;
  left(): void;
  dropped(at: { x: number; y: number }, files: DroppedFile[]): void;
}

export interface Host {
  /**
   * Asked anew before every connection: a restarted engine may have another port. Rejects with a `UserError` when
   * there is no engine; with a time when the host itself tries again, without one when the person must do something.
   */
  engine(): Promise<EngineAddress>;
  /** Tries again an engine that could not be started, where the host can. */
  retryEngine?(): Promise<void>;
  /** Whether a link opens in a page of its own; the studio's window has only the desk. */
  readonly opensLinks: boolean;
  /** The system's own dialog for a file or a folder; `undefined` where there is none. */
  choosePath?(options: { folder: boolean; title: string; extensions?: string[] }): Promise<string | null>;
  /** Says what is dragged over the page and let go there; ends with the function that it gives. */
  watchFiles(watcher: FileWatcher): () => void;
}

const TOKEN_KEY = 'studio.token';

/** Takes the token out of the fragment of an address: `#token=…`. */
export function tokenOf(fragment: string): string | undefined {
  const token = new URLSearchParams(fragment.replace(/^#/, '')).get('token');
  return token ? token : undefined;
}

function browserHost(): Host {
  const token = tokenOf(location.hash);
  if (token) {
    sessionStorage.setItem(TOKEN_KEY, token);
    // Out of the address bar, so that a shared screen or a copied address does not give it away.
    history.replaceState(null, '', location.pathname + location.search);
  }
  keepPage();
  return {
    opensLinks: true,
    watchFiles: watchFilesOfPage,
    engine: async () => ({
      address: location.origin,
      token: sessionStorage.getItem(TOKEN_KEY) ?? '',
    }),
  };
}

/** The host of this page. */
export async function findHost(): Promise<Host> {
  return '__TAURI_INTERNALS__' in window ? (await import('./tauri')).tauriHost() : browserHost();
}
