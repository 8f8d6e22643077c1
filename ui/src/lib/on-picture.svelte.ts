/** The chat's message on the picture: put there by hand, and taken off when it is deleted. */
import type { Studio } from '$lib/engine/studio.svelte';
import type { Overlay } from '$lib/protocol';
import type { Message } from '$lib/protocol/chat';

/** Longest name and text of an overlay, in characters. */
const NAME = 60;
const TEXT = 500;

const cut = (text: string, most: number) => [...text.replace(/\p{Cc}/gu, ' ').trim()].slice(0, most).join('').trim();

export const overlayOf = (message: Message): Overlay => ({
  kind: 'chat_message',
  message: message.seq,
  name: cut(message.author.name, NAME),
  text: cut(message.text, TEXT),
});

/** Where the message of this number is, or would be. Messages are in the order of their numbers. */
function placeOf(seq: number, messages: readonly Message[]): number {
  let [low, high] = [0, messages.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((messages[middle]?.seq ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether it was deleted: it is not among those at hand, though they reach back before it. */
export function deleted(seq: number, messages: readonly Message[]): boolean {
  const at = placeOf(seq, messages);
  return at > 0 && messages[at]?.seq !== seq;
}

export class MessageOnPicture {
  #studio: Studio;
  /** The one on the picture, once it was seen in the chat. */
  #seen: Message | undefined;

  constructor(studio: Studio) {
    this.#studio = studio;
  }

  /** The number of the message that is on the picture. */
  get shown(): number | undefined {
    for (const { overlay, shown } of this.#studio.state.overlays.prepared) if (shown && overlay.kind === 'chat_message') return overlay.message;
    return undefined;
  }

  shows(message: Message): boolean {
    return this.shown === message.seq;
  }

  toggle(message: Message): void {
    if (this.shows(message)) this.#hide();
    else void this.#studio.try({ do: 'show_overlay', overlay: overlayOf(message) });
  }

  /** Looks for it in the chat; one that was deleted before this desk came leaves the picture. */
  follow(messages: readonly Message[] | undefined): void {
    const { shown } = this;
    if (shown === undefined || messages === undefined) return;
    const found = messages[placeOf(shown, messages)];
    if (found?.seq === shown) this.#seen = found;
    else if (deleted(shown, messages)) this.#hide();
  }

  /** Messages were deleted: if it is one of them, it leaves the picture. */
  gone(which: (message: Message) => boolean): void {
    const seen = this.#seen;
    if (seen && seen.seq === this.shown && which(seen)) this.#hide();
  }

  #hide(): void {
    void this.#studio.try({ do: 'hide_overlay', overlay: 'chat_message' });
  }
}
