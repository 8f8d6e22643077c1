/** The search over the catalogue: the newest question counts, and a page is added to those before. */
import { CommandError } from '$lib/engine/connection';
import type { Studio } from '$lib/engine/studio.svelte';
import type { Product, UserError } from '$lib/protocol';

const PAGE = 30;
/** Pressing a key every so often is typing; the engine answers in a few milliseconds. */
const PAUSE_MS = 60;

export class ProductSearch {
  words = $state('');
  found = $state.raw<Product[]>([]);
  /** How many there are in all; 1000 stands for more as well. */
  count = $state(0);
  /** Whether an answer to the words that stand there has come. */
  answered = $state(false);
  error = $state.raw<UserError | undefined>();
  readonly #studio: Studio;
  #asked = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(studio: Studio) {
    this.#studio = studio;
  }

  type(words: string) {
    this.words = words;
    this.answered = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(0), PAUSE_MS);
  }

  again = () => this.#ask(0);
  more = () => this.#ask(this.found.length);

  async #ask(offset: number) {
    const asked = ++this.#asked;
    try {
      const reply = await this.#studio.do({ do: 'search_products', words: this.words.trim().slice(0, 200), offset, limit: PAGE });
      if (asked !== this.#asked || reply.reply !== 'products') return;
      this.error = undefined;
      this.found = offset === 0 ? reply.products : [...this.found, ...reply.products];
      this.count = reply.found;
      this.answered = true;
    } catch (failed) {
      if (!(failed instanceof CommandError)) throw failed;
      if (asked === this.#asked) this.error = failed.user;
    }
  }
}
