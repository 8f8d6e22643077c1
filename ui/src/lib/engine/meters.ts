/** The one way of meters from the socket to their canvases, outside Svelte's reactivity. */
import type { Levels, Loudness, Meters } from '$lib/protocol';
import { moveNeedle, restingNeedle, type Needle } from './ballistics';

/** Key of the master among the strips; no source has it, for ids are never empty. */
export const MASTER = '';
/** Numbers that a person reads change at most four times a second. */
const NUMBERS_MS = 250;

export interface Stereo {
  left: Needle;
  right: Needle;
}

export interface MeterFace {
  key: string;
  paint(needles: Stereo): void;
  /** The numbers beside it, at most four times a second. */
  read?(needles: Stereo): void;
}

const SILENT: Levels = { left: { peak: -96, rms: -96 }, right: { peak: -96, rms: -96 } };
/** After this long without word from the engine a meter falls to rest. */
const STALE_MS = 500;

export class MeterBoard {
  #levels = new Map<string, { levels: Levels; at: number }>();
  #needles = new Map<string, Stereo>();
  #faces = new Set<MeterFace>();
  #loudness: Loudness = { momentary: null, short_term: null, integrated: null };
  #loudnessReaders = new Set<(loudness: Loudness) => void>();
  #last = 0;
  #lastNumbers = 0;
  #frame = 0;

  take(meters: Meters, now = performance.now()) {
    for (const strip of meters.strips) this.#levels.set(strip.source, { levels: strip.levels, at: now });
    this.#levels.set(MASTER, { levels: meters.master, at: now });
    this.#loudness = meters.loudness;
  }

  /** Levels that come another way than by the meters' message: devices of the first-run steps. */
  put(key: string, levels: Levels, now = performance.now()) {
    this.#levels.set(key, { levels, at: now });
  }

  show(face: MeterFace): () => void {
    this.#faces.add(face);
    this.#run();
    return () => this.#faces.delete(face);
  }

  readLoudness(read: (loudness: Loudness) => void): () => void {
    this.#loudnessReaders.add(read);
    this.#run();
    return () => this.#loudnessReaders.delete(read);
  }

  #run() {
    if (this.#frame === 0) this.#frame = requestAnimationFrame(this.#tick);
  }

  #tick = (now: number) => {
    const elapsed = Math.min(1000, now - (this.#last || now));
    this.#last = now;
    const numbers = now - this.#lastNumbers >= NUMBERS_MS;
    if (numbers) this.#lastNumbers = now;
    const moved = new Set<string>();
    for (const face of this.#faces) {
      let needles = this.#needles.get(face.key);
      if (!needles) {
        needles = { left: restingNeedle(), right: restingNeedle() };
        this.#needles.set(face.key, needles);
      }
      if (!moved.has(face.key)) {
        moved.add(face.key);
        const known = this.#levels.get(face.key);
        const levels = known && now - known.at < STALE_MS ? known.levels : SILENT;
        moveNeedle(needles.left, levels.left, elapsed, now);
        moveNeedle(needles.right, levels.right, elapsed, now);
      }
      face.paint(needles);
      if (numbers) face.read?.(needles);
    }
    if (numbers) for (const read of this.#loudnessReaders) read(this.#loudness);
    this.#frame = 0;
    if (this.#faces.size + this.#loudnessReaders.size > 0) this.#run();
  };
}
