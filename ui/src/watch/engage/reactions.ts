/** Reactions on the viewer page: keys to show them, and a few that rise over the picture. */
import { REACTIONS } from '../../chat/engage';
import { sayEngage } from '../../chat/engage-words';
import type { ChatLocale } from '../../chat/says';
import type { Reacted, Reaction } from '../../lib/protocol/chat';
import { byId, label, make } from './elements';

/** Pictures of one kind that rise for one second of reactions, and of all kinds that are on their way at once. */
const MOST_OF_A_KIND = 3;
const MOST_AT_ONCE = 12;
/** What rises of one second is spread over it. */
const SPREAD_MS = 900;
/** How long one stays, if its animation does not say so before. */
const STAYS_MS = 2500;

export class Reactions {
  #bar = byId('react');
  #burst = byId('burst');
  #keys = new Map<Reaction, HTMLButtonElement>();
  #totals: Map<Reaction, number> | undefined;
  /** Own ones that have risen already. */
  #own = new Map<Reaction, number>();
  #still = matchMedia('(prefers-reduced-motion: reduce)');

  /** `onReact` says whether it was counted. */
  constructor(private readonly onReact: (reaction: Reaction) => Promise<boolean>) {
    for (const [reaction, emoji] of REACTIONS) {
      const button = make('button', 'react-key', emoji);
      button.type = 'button';
      button.dataset.reaction = reaction;
      button.addEventListener('click', () => void this.#react(reaction, emoji));
      this.#keys.set(reaction, button);
      this.#bar.append(button);
    }
  }

  speak(locale: ChatLocale): void {
    label(this.#bar, sayEngage(locale, 'engage_react'));
    for (const [reaction, button] of this.#keys) {
      const name = sayEngage(locale, `engage_reaction_${reaction}`);
      label(button, name);
      button.title = name;
    }
  }

  /** Who comes in, or comes back, is not shown what others have seen. */
  reset(totals: readonly Reacted[]): void {
    this.#totals = new Map(totals.map((one) => [one.reaction, one.total]));
    this.#own.clear();
  }

  /** What was shown in the last second, by its totals. */
  show(totals: readonly Reacted[]): void {
    for (const { reaction, total } of totals) {
      const more = total - (this.#totals?.get(reaction) ?? 0);
      this.#totals?.set(reaction, total);
      if (more <= 0) continue;
      const own = Math.min(more, this.#own.get(reaction) ?? 0);
      this.#own.set(reaction, (this.#own.get(reaction) ?? 0) - own);
      const emoji = REACTIONS.find(([one]) => one === reaction)?.[1];
      if (emoji && more > own) this.#rise(emoji, more - own);
    }
  }

  async #react(reaction: Reaction, emoji: string): Promise<void> {
    this.#own.set(reaction, (this.#own.get(reaction) ?? 0) + 1);
    this.#rise(emoji, 1);
    if (await this.onReact(reaction)) return;
    this.#own.set(reaction, Math.max(0, (this.#own.get(reaction) ?? 0) - 1));
  }

  #rise(emoji: string, count: number): void {
    // Nobody sees it, and a page that comes back would be full of it.
    if (document.visibilityState === 'hidden') return;
    const shown = this.#still.matches ? 1 : Math.min(count, MOST_OF_A_KIND);
    for (let at = 0; at < shown && this.#burst.childElementCount < MOST_AT_ONCE; at++) {
      const one = make('span', 'burst-one', emoji);
      if (at === 0 && count > shown) one.append(make('span', 'burst-count', ` ${count}`));
      one.style.setProperty('--delay', `${shown === 1 ? 0 : Math.round((at / shown) * SPREAD_MS)}ms`);
      one.style.setProperty('--across', String(Math.random()));
      const gone = setTimeout(() => one.remove(), STAYS_MS + SPREAD_MS);
      one.addEventListener('animationend', () => {
        clearTimeout(gone);
        one.remove();
      });
      this.#burst.append(one);
    }
  }
}
