/** The show's products on the viewer page: what is featured, and the list beside the chat. */
import type { ChatClient } from '../chat/client';
import { offerAt, sayPrice } from '../chat/offer';
import type { ChatRoom } from '../chat/room';
import type { Product } from '../lib/protocol/chat';
import type { Part, Parts } from './parts';
import { ProductCard, type CardHands } from './product-card';
import { figures, say, type Locale } from './words';

function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as T;
}

/** Cards by product, in the order of a list. */
class Cards {
  #cards = new Map<string, ProductCard>();

  constructor(
    private readonly list: HTMLElement,
    private readonly make: () => ProductCard,
  ) {}

  /** Makes the list these products. Gives back how long the first of the offers holds still. */
  show(products: readonly Product[], locale: Locale, now: number): number {
    let soonest = Infinity;
    const wanted = new Set(products.map((product) => product.id));
    for (const [id, card] of this.#cards) {
      if (wanted.has(id)) continue;
      card.element.remove();
      this.#cards.delete(id);
    }
    products.forEach((product, at) => {
      let card = this.#cards.get(product.id);
      if (!card) this.#cards.set(product.id, (card = this.make()));
      soonest = Math.min(soonest, card.show(product, locale, now) ?? Infinity);
      // Moving an element would take the focus out of it.
      if (this.list.children[at] !== card.element) this.list.insertBefore(card.element, this.list.children[at] ?? null);
    });
    return soonest;
  }
}

export class Products {
  #page = byId('page');
  #section = byId('featured');
  #part: Part;
  #said = byId('products-said');
  #featured: Cards;
  #list: Cards;
  #locale: Locale = 'en';
  #tick: ReturnType<typeof setTimeout> | undefined;
  /** What was shown before, by product: whether it was sold out, and whether it had an end. */
  #before: Map<string, { soldOut: boolean; running: boolean }> | undefined;

  constructor(
    name: string,
    private readonly room: ChatRoom,
    client: ChatClient,
    private readonly parts: Parts,
  ) {
    const hands: CardHands = {
      // Whether it was counted changes nothing for the person who goes to the shop.
      onVisit: (product, what) => void client.ask({ type: 'visited', product, what }),
      onSaid: (text) => (this.#said.textContent = text),
    };
    const make = () => new ProductCard(name, hands);
    this.#featured = new Cards(byId('featured-list'), make);
    this.#list = new Cards(byId('shelf-list'), make);
    this.#part = { tab: byId('tab-shelf'), panel: byId('shelf'), onOpen: () => this.show(false) };
    parts.add(this.#part);
    document.addEventListener('visibilitychange', () => {
      // Timers of a hidden page are late.
      if (document.visibilityState === 'visible') this.show();
    });
  }

  speak(locale: Locale): void {
    this.#locale = locale;
    this.show(false);
  }

  /** Brings everything up to date; what is new is read out, unless the page is only just there. */
  show(aloud = true): void {
    const now = this.room.clock.now();
    const { products, shown } = this.room;
    this.#section.hidden = shown.length === 0;
    byId('skip-products').hidden = shown.length === 0;
    this.#page.dataset.featured = String(shown.length);
    let soonest = this.#featured.show(shown, this.#locale, now);
    this.parts.offer(this.#part, products.length > 0);
    byId('shelf-count').textContent = figures(this.#locale, products.length);
    // A list that nobody looks at is made when somebody does.
    if (this.parts.isOpen(this.#part)) soonest = Math.min(soonest, this.#list.show(products, this.#locale, now));
    this.#tell(shown, now, aloud);
    clearTimeout(this.#tick);
    if (soonest < Infinity) {
      const second = 1000 - (now % 1000);
      this.#tick = setTimeout(() => this.show(), Math.max(20, Math.min(second, soonest)));
    }
  }

  #tell(shown: readonly Product[], now: number, aloud: boolean): void {
    const before = this.#before;
    const states = new Map<string, { soldOut: boolean; running: boolean }>();
    const fresh: string[] = [];
    let changed = '';
    for (const product of shown) {
      const offer = offerAt(product, now);
      const state = { soldOut: offer.soldOut, running: offer.leftMs !== undefined };
      states.set(product.id, state);
      const was = before?.get(product.id);
      const { title } = product;
      if (!was) fresh.push(offer.price ? `${title}, ${sayPrice(this.#locale, offer.price)}` : title);
      else if (state.soldOut && !was.soldOut) changed = say(this.#locale, 'watch_product_is_sold_out', { title });
      else if (!state.running && was.running) changed = say(this.#locale, 'watch_product_over', { title });
    }
    this.#before = this.room.you === undefined ? undefined : states;
    if (!aloud || before === undefined) return;
    if (fresh.length > 0) this.#said.textContent = say(this.#locale, 'watch_product_now', { what: fresh.join(' · ') });
    else if (changed) this.#said.textContent = changed;
    else if (states.size === 0 && before.size > 0) this.#said.textContent = say(this.#locale, 'watch_product_off');
  }
}
