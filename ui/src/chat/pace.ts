/** How fast messages come: what a screen reader can follow is read out, a flood is only counted. */

/** Messages in the window that can still be read out. */
const READABLE = 5;
const WINDOW_MS = 5000;
/** A count is said at most so often. */
const COUNT_EVERY_MS = 10_000;

export class Pace {
  #times: number[] = [];
  #uncounted = 0;
  #countedAt = -Infinity;

  /** Messages have come. True while they are too many to be read out. */
  take(count: number, now: number): boolean {
    const flooded = this.flooded(now);
    for (let i = 0; i < count; i++) this.#times.push(now);
    if (flooded || this.flooded(now)) this.#uncounted += count;
    return this.flooded(now);
  }

  flooded(now: number): boolean {
    this.#times = this.#times.filter((at) => now - at < WINDOW_MS);
    return this.#times.length > READABLE;
  }

  /** How many messages to announce now; 0 for nothing. */
  count(now: number): number {
    if (this.#uncounted === 0 || now - this.#countedAt < COUNT_EVERY_MS) return 0;
    const count = this.#uncounted;
    this.#uncounted = 0;
    this.#countedAt = now;
    return count;
  }
}
