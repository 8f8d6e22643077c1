/** What a hand asks for while it moves: merged into one command at a time, at most thirty a second, the last always sent. */

const SEND_MS = 1000 / 30;

export interface HandOptions<T> {
  /** Asks the engine for the whole value; settles with its answer, and never rejects. */
  send(whole: T): Promise<unknown>;
  /** What the engine says now. */
  engine(): T;
}

/**
 * The value under a hand. What was asked is shown at once and wins over the engine's value until the engine has
 * answered, so that a mute in the middle of a drag does not send the fader back to where the drag began.
 */
export class Hand<T extends object> {
  #asked = $state.raw<Partial<T> | undefined>();
  #options: HandOptions<T>;
  #sending = false;
  #lastSent = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: HandOptions<T>) {
    this.#options = options;
  }

  /** The engine's value with what was asked and not yet answered. */
  get value(): T {
    return { ...this.#options.engine(), ...this.#asked };
  }

  ask = (change: Partial<T>) => {
    this.#asked = { ...this.#asked, ...change };
    this.#next();
  };

  /** Forgets what was not sent; for a strip that goes away. */
  stop = () => {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#asked = undefined;
  };

  #next() {
    // The answer to the one on its way sends the next: a slow engine is asked less often, not later and later.
    if (this.#sending || this.#timer !== undefined) return;
    const wait = this.#lastSent + SEND_MS - performance.now();
    if (wait <= 0) void this.#send();
    else {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        void this.#send();
      }, wait);
    }
  }

  async #send() {
    const asked = this.#asked;
    if (!asked) return;
    this.#sending = true;
    this.#lastSent = performance.now();
    await this.#options.send(this.value);
    this.#sending = false;
    // The engine's value has arrived before its answer; from here on it is shown again.
    if (this.#asked === asked) this.#asked = undefined;
    else if (this.#asked) this.#next();
  }
}
