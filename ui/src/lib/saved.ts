/** What a show has recorded: by destination, and after an engine that came back with a new file too. */
import type { Output } from './protocol';

export interface Saved {
  /** The file that is being written, or was last. */
  path: string;
  /** Files of the show, the present one included. */
  count: number;
  /** Of all of them. */
  bytes: number;
}

export class SavedFiles {
  /** Sizes by destination and path: an engine that comes back counts its files from one again. */
  #files = new Map<string, Map<string, number>>();
  #saved = new Map<string, Saved>();

  /** Takes in what the outputs say now. Off air they say nothing, and what was known stays. */
  take(outputs: Output[]) {
    for (const { id, recording, sent_bytes } of outputs) {
      if (!recording) continue;
      const files = this.#files.get(id) ?? new Map<string, number>();
      this.#files.set(id, files.set(recording.path, recording.bytes));
      const seen = [...files.values()].reduce((sum, bytes) => sum + bytes, 0);
      this.#saved.set(id, { path: recording.path, count: Math.max(recording.parts, files.size), bytes: Math.max(sent_bytes, seen) });
    }
  }

  /** All of it, and begins anew. */
  end(): Saved[] {
    const saved = [...this.#saved.values()];
    this.#files.clear();
    this.#saved.clear();
    return saved;
  }
}

/** What one output says of its files now. */
export const savedNow = ({ recording, sent_bytes }: Output): Saved | undefined =>
  recording ? { path: recording.path, count: recording.parts, bytes: Math.max(sent_bytes, recording.bytes) } : undefined;
