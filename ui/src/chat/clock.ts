/** The server's clock, as far as a page knows it. What ends at a moment ends by this one, whatever the visitor's says. */
export class ServerClock {
  /** The server's time at the moment from which the page's own clock counts. */
  #origin: number;

  /** `sinceStart` is a clock that nobody can set, in milliseconds. */
  constructor(private readonly sinceStart: () => number = () => performance.now()) {
    // Until the server has spoken there is only the visitor's word.
    this.#origin = Date.now() - sinceStart();
  }

  /** The server has said what time it is. */
  set(nowMs: number): void {
    this.#origin = nowMs - this.sinceStart();
  }

  /** Milliseconds since 1970 UTC. */
  now(): number {
    return this.#origin + this.sinceStart();
  }
}
