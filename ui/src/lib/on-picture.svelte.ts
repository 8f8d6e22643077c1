/** The chat's message on the picture: put there by hand, and taken off when it is deleted. */
import type { Studio } from '$lib/engine/studio.svelte';
import type { Overlay } from '$lib/protocol';
import type { Message } from '$lib/protocol/chat';

/** Longest name and text of an overlay, in characters. */
const NAME = 60;
const TEXT = 500;

const cut = (text: string, most: number) => [...text.replace(/\p{Cc}/gu, ' ').trim()].slice(0, most).join('').trim();

export const overlayOf = (message: Pick<Message, 'seq' | 'text'> & { author: { name: string } }): Overlay => ({
  kind: 'chat_message',
  message: message.seq,
  name: cut(message.author.name, NAME),
  text: cut(message.text, TEXT),
});

/**
 * Whether the message of this number was deleted: it is not among those at hand, though they reach back before it.
 * Messages are in the order of their numbers.
 */
export function deleted(seq: number, messages: readonly Pick<Message, 'seq'>[]): boolean {
  let [low, high] = [0, messages.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((messages[middle]?.seq ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return low > 0 && messages[low]?.seq !== seq;
}

export class MessageOnPicture {
  #studio: Studio;
  /** Whether it was seen in the chat since it has been on the picture. */
  #seen = 0;

  constructor(studio: Studio) {
    this.#studio = studio;
  }

  /** The number of the message that is on the picture. */
  get shown(): number | undefined {
    for (const { overlay, shown } of this.#studio.state.overlays.prepared) if (shown && overlay.kind === 'chat_message') return overlay.message;
    return undefined;
  }

  shows(message: Pick<Message, 'seq'>): boolean {
    return this.shown === message.seq;
  }

  toggle(message: Message): void {
    if (this.shows(message)) void this.#studio.try({ do: 'hide_overlay', overlay: 'chat_message' });
    else void this.#studio.try({ do: 'show_overlay', overlay: overlayOf(message) });
  }

  /** Takes the message off the picture when it has left the chat. */
  follow(messages: readonly Pick<Message, 'seq'>[] | undefined): void {
    const shown = this.shown;
    if (shown === undefined || messages === undefined) return;
    const gone = deleted(shown, messages) || (this.#seen === shown && messages.length === 0);
    if (!gone) this.#seen = shown;
    else void this.#studio.try({ do: 'hide_overlay', overlay: 'chat_message' });
  }
}
