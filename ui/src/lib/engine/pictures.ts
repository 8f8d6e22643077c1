/** Pictures of the control WebSocket: `[kind][length of id][id][JPEG]`, latest only. */
import { PictureKind } from '$lib/protocol';

export interface PictureMessage {
  kind: PictureKind;
  id: string;
  jpeg: Uint8Array<ArrayBuffer>;
}

const text = new TextDecoder('utf-8', { fatal: true });

export function parsePicture(message: ArrayBuffer): PictureMessage | undefined {
  const bytes = new Uint8Array(message);
  const kind = bytes[0];
  const length = bytes[1];
  if (kind === undefined || length === undefined || bytes.length < 2 + length) return undefined;
  if (kind < PictureKind.Program || kind > PictureKind.Device) return undefined;
  try {
    return { kind, id: text.decode(bytes.subarray(2, 2 + length)), jpeg: bytes.subarray(2 + length) };
  } catch {
    return undefined;
  }
}

export const pictureKey = (kind: PictureKind, id = '') => `${kind}:${id}`;

interface Slot {
  latest?: ImageBitmap;
  waiting?: Uint8Array<ArrayBuffer>;
  decoding: boolean;
  watchers: Set<(picture: ImageBitmap) => void>;
}

/** Decodes pictures and hands them to whoever paints them, outside Svelte's reactivity. */
export class PictureBoard {
  #slots = new Map<string, Slot>();

  #slot(key: string): Slot {
    let slot = this.#slots.get(key);
    if (!slot) {
      slot = { decoding: false, watchers: new Set() };
      this.#slots.set(key, slot);
    }
    return slot;
  }

  latest(key: string): ImageBitmap | undefined {
    return this.#slots.get(key)?.latest;
  }

  /** Calls back with the present picture, if any, and every later one; gives the way to stop. */
  watch(key: string, paint: (picture: ImageBitmap) => void): () => void {
    const slot = this.#slot(key);
    slot.watchers.add(paint);
    if (slot.latest) paint(slot.latest);
    return () => slot.watchers.delete(paint);
  }

  take(message: ArrayBuffer) {
    const picture = parsePicture(message);
    if (!picture) return;
    const slot = this.#slot(pictureKey(picture.kind, picture.id));
    slot.waiting = picture.jpeg;
    if (!slot.decoding) void this.#decode(slot);
  }

  // One at a time for each picture: while one is decoded only the newest of those that arrive is kept.
  async #decode(slot: Slot) {
    slot.decoding = true;
    while (slot.waiting) {
      const jpeg = slot.waiting;
      slot.waiting = undefined;
      try {
        const bitmap = await createImageBitmap(new Blob([jpeg], { type: 'image/jpeg' }));
        slot.latest?.close();
        slot.latest = bitmap;
        for (const paint of slot.watchers) paint(bitmap);
      } catch {
        // A picture that does not decode is as good as none: the next one follows in a moment.
      }
    }
    slot.decoding = false;
  }
}
