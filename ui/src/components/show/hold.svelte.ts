/** Ending asks once: hold for a second, or press Enter twice. */

export const HOLD_MS = 1000;
/** How long the first Enter waits for the second. */
const ARMED_MS = 4000;

export class HoldToEnd {
  holding = $state(false);
  armed = $state(false);
  #end: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(end: () => void) {
    this.#end = end;
  }

  press = () => {
    this.release();
    this.holding = true;
    this.#timer = setTimeout(() => this.#done(), HOLD_MS);
  };

  release = () => {
    clearTimeout(this.#timer);
    this.holding = false;
  };

  /** Enter or Space; a key that is held down repeats, and that is no second press. */
  key = (repeat: boolean) => {
    if (repeat) return;
    if (this.armed) {
      this.#done();
      return;
    }
    this.armed = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (this.armed = false), ARMED_MS);
  };

  leave = () => {
    clearTimeout(this.#timer);
    this.holding = this.armed = false;
  };

  #done() {
    this.leave();
    this.#end();
  }
}
