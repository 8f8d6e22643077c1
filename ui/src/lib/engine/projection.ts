/** The desk's copy of the engine's state: a snapshot, then one replaced part after the other. */
import type { Event, State } from '$lib/protocol';

export class Gap extends Error {}

export class Projection {
  #state: State;
  #revision: number;

  constructor(state: State, revision: number) {
    this.#state = state;
    this.#revision = revision;
  }

  get state(): State {
    return this.#state;
  }

  get revision(): number {
    return this.#revision;
  }

  /**
   * Takes the next event in and gives the new state.
   *
   * @throws {Gap} when an event in between is missing: then only a new snapshot tells the truth.
   */
  apply(revision: number, event: Event): State {
    if (revision !== this.#revision + 1) {
      throw new Gap(`event ${revision} after ${this.#revision}`);
    }
    this.#revision = revision;
    this.#state = { ...this.#state, [event.part]: event.value };
    return this.#state;
  }
}
