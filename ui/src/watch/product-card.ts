/** One product on the viewer page: large while it is featured, small in the list. Its elements stay, its words change. */
import { offerAt, sayLeft, sayPrice } from '../chat/offer';
import type { Product, Visit } from '../lib/protocol/chat';
import { say, sayStock, type Locale } from './words';

/** How long a button says that it has copied. */
const COPIED_MS = 2000;

function element<K extends keyof HTMLElementTagNameMap>(tag: K, className = ''): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (className) made.className = className;
  return made;
}

function icon(name: string): SVGSVGElement {
  const drawn = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  drawn.setAttribute('class', 'icon');
  drawn.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `#i-${name}`);
  drawn.append(use);
  return drawn;
}

/** Only what differs is written: the clock ticks, and the rest is left in peace. */
function write(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/** A link into the shop. It opens apart, and the shop's page gets no hold of this one. */
function shopLink(className: string, onVisit: () => void): HTMLAnchorElement {
  const link = element('a', className);
  link.target = '_blank';
  link.rel = 'noopener';
  link.addEventListener('click', onVisit);
  // The middle button opens a tab as well.
  link.addEventListener('auxclick', (event) => event.button === 1 && onVisit());
  return link;
}

export interface CardHands {
  onVisit(product: string, what: Visit): void;
  onSaid(text: string): void;
}

export class ProductCard {
  readonly element = element('li', 'product');
  #product: Product | undefined;
  #locale: Locale = 'en';
  #picture = element('img');
  #pictureLink = shopLink('product-picture', () => this.#visit('opened'));
  #label = element('span', 'product-now');
  #clock = element('span', 'product-clock');
  #clockWord = element('span', 'unseen');
  #clockTime = element('span');
  #title = shopLink('', () => this.#visit('opened'));
  #note = element('p', 'product-note');
  #noteText = element('span');
  #left = element('span', 'product-left');
  #price = element('b');
  #wasWord = element('span', 'unseen');
  #was = element('s');
  #code = element('button', 'product-code');
  #codeText = element('span');
  #cart = shopLink('product-cart', () => this.#visit('carted'));
  #cartText = element('span');
  #gone = element('p', 'product-gone');
  #copied: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly room: string,
    private readonly hands: CardHands,
  ) {
    this.#picture.alt = '';
    this.#picture.decoding = 'async';
    this.#picture.loading = 'lazy';
    this.#pictureLink.append(this.#picture);
    // The title beside it is the same link, and says where it leads.
    this.#pictureLink.tabIndex = -1;
    this.#pictureLink.setAttribute('aria-hidden', 'true');
    this.#clock.setAttribute('role', 'timer');
    this.#clock.append(icon('timer'), this.#clockWord, this.#clockTime);
    const label = element('p', 'product-label');
    label.append(this.#label, this.#clock);
    const heading = element('h3', 'product-title');
    heading.append(this.#title);
    this.#note.append(this.#noteText, ' ', this.#left);
    this.#code.type = 'button';
    this.#code.append(this.#codeText, icon('copy'));
    this.#code.addEventListener('click', () => void this.#copy());
    const price = element('p', 'product-price');
    price.append(this.#price, this.#wasWord, this.#was, this.#code);
    const words = element('div', 'product-words');
    words.append(label, heading, this.#note, price);
    this.#cart.append(icon('cart'), this.#cartText);
    this.element.append(this.#pictureLink, words, this.#cart, this.#gone);
  }

  /** Makes it this product at this moment of the server's clock. Gives back how long the offer holds, if it ends. */
  show(product: Product, locale: Locale, now: number): number | undefined {
    this.#locale = locale;
    const offer = offerAt(product, now);
    if (this.#product !== product) this.#show(product);
    this.element.classList.toggle('sold-out', offer.soldOut);
    write(this.#label, say(locale, 'watch_featured'));
    this.#clock.hidden = offer.leftMs === undefined;
    write(this.#clockWord, `${say(locale, 'watch_product_ends')} `);
    if (offer.leftMs !== undefined) write(this.#clockTime, sayLeft(offer.leftMs));
    this.#title.setAttribute('aria-label', product.link === undefined ? product.title : say(locale, 'watch_product_open', { title: product.title }));
    this.#left.hidden = offer.left === undefined;
    write(this.#left, offer.left === undefined ? '' : sayStock(locale, offer.left));
    this.#note.hidden = product.note === undefined && offer.left === undefined;
    this.#price.hidden = offer.price === undefined;
    write(this.#price, offer.price ? sayPrice(locale, offer.price) : '');
    this.#was.hidden = this.#wasWord.hidden = offer.was === undefined;
    write(this.#wasWord, ` ${say(locale, 'watch_product_regular')} `);
    write(this.#was, offer.was ? sayPrice(locale, offer.was) : '');
    this.#code.hidden = offer.code === undefined;
    write(this.#codeText, offer.code ?? '');
    this.#code.setAttribute('aria-label', say(locale, 'watch_product_copy', { code: offer.code ?? '' }));
    this.#cart.hidden = offer.soldOut || product.link === undefined;
    write(this.#cartText, say(locale, 'watch_product_cart'));
    this.#cart.setAttribute('aria-label', say(locale, 'watch_product_cart_of', { title: product.title }));
    this.#gone.hidden = !offer.soldOut;
    write(this.#gone, say(locale, 'watch_product_sold_out'));
    return offer.leftMs;
  }

  #show(product: Product): void {
    this.#product = product;
    this.element.dataset.product = product.id;
    write(this.#title, product.title);
    write(this.#noteText, product.note ?? '');
    this.#pictureLink.hidden = product.image === undefined;
    const source = product.image === undefined ? '' : `/rooms/${encodeURIComponent(this.room)}/images/${product.image}`;
    if (source && this.#picture.getAttribute('src') !== source) this.#picture.src = source;
    for (const link of [this.#pictureLink, this.#title, this.#cart]) {
      if (product.link === undefined) link.removeAttribute('href');
      else link.href = product.link;
    }
  }

  #visit(what: Visit): void {
    if (this.#product?.link !== undefined) this.hands.onVisit(this.#product.id, what);
  }

  async #copy(): Promise<void> {
    if (!(await copied(this.#codeText))) return;
    this.hands.onSaid(say(this.#locale, 'watch_product_copied'));
    const use = this.#code.querySelector('use');
    use?.setAttribute('href', '#i-done');
    clearTimeout(this.#copied);
    this.#copied = setTimeout(() => use?.setAttribute('href', '#i-copy'), COPIED_MS);
  }
}

/** Copies what an element says; where that fails it stands selected, and copying it is one key. */
async function copied(target: Element): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(target.textContent ?? '');
    return true;
  } catch {
    // Without HTTPS there is no clipboard for pages but this old way.
    getSelection()?.selectAllChildren(target);
    return document.execCommand('copy');
  }
}
