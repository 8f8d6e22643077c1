/** What is being written: how long it is, whether it can be sent, and what became of it. */
import { lengthOf } from '../chat/text';
import { sayCount } from '../chat/says';
import type { Moderation } from './moderation.svelte';
import { language } from './words.svelte';

const MOST = 500;
const COUNTED_FROM = 400;

export class Composing {
  text = $state('');
  /** Why it was not sent. */
  why = $state<string | undefined>();
  #sending = $state(false);
  #length = $derived(lengthOf(this.text));
  readonly ready = $derived.by(() => this.#chat().link.is === 'open' && !this.#sending && this.#length > 0 && this.#length <= MOST);
  readonly over = $derived(this.#length > MOST);
  /** How much room is left, once there is little. */
  readonly left = $derived.by(() => {
    if (this.#length < COUNTED_FROM) return '';
    const over = this.#length > MOST;
    return sayCount(language.current, over ? 'over' : 'left', Math.abs(MOST - this.#length));
  });
  #chat: () => Moderation;
  #sent: () => void;

  constructor(chat: () => Moderation, sent: () => void) {
    this.#chat = chat;
    this.#sent = sent;
  }

  /** What was refused stays, with the reason. */
  async send(): Promise<void> {
    if (!this.ready) return;
    this.#sending = true;
    const { text } = this;
    this.why = await this.#chat().say(text);
    this.#sending = false;
    if (this.why !== undefined) return;
    if (this.text === text) this.text = '';
    this.#sent();
  }

  /** Enter sends, with Shift it begins a line; Escape answers nobody any more. */
  key(event: KeyboardEvent): void {
    if (event.key === 'Escape') this.#chat().replyTo = undefined;
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    void this.send();
  }

  submit(event: SubmitEvent): void {
    event.preventDefault();
    void this.send();
  }
}
