/** The wall clock for what counts up or down on the desk, four times a second. */
class Clock {
  now = $state(Date.now());

  constructor() {
    setInterval(() => (this.now = Date.now()), 250);
  }
}

export const clock = new Clock();
