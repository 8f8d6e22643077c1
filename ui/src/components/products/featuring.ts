/** What keys and buttons do with the show's products; the engine decides whether it may. */
import type { Interest } from '$lib/protocol/chat';
import type { Studio } from '$lib/engine/studio.svelte';
import type { ShowProduct } from '$lib/protocol';

/** What viewers did with the room's products so far, by product. */
export type Wanted = ReadonlyMap<string, Interest>;

export const MOST_FEATURED = 3;
const MINUTES = 60_000;

export const soldOut = (chosen: ShowProduct) => chosen.product.stock.stock === 'sold_out';

export class Featuring {
  readonly #studio: Studio;

  constructor(studio: Studio) {
    this.#studio = studio;
  }

  get #products() {
    return this.#studio.state.products;
  }

  has = (id: string) => this.#products.featured.includes(id);

  /** Shows one beside the picture in place of the others; once more takes it off. */
  toggle(chosen: ShowProduct | undefined) {
    if (!chosen) return;
    const { id } = chosen.product;
    if (this.has(id)) this.show(this.#products.featured.filter((featured) => featured !== id));
    else if (!soldOut(chosen)) this.show([id]);
  }

  /** Shows one beside those that are there already. */
  add(id: string) {
    this.show([...this.#products.featured, id].slice(-MOST_FEATURED));
  }

  show(products: string[]) {
    void this.#studio.try({ do: 'feature_products', products });
  }

  /** The product after this one that can be bought. */
  after(id: string): ShowProduct | undefined {
    const { chosen } = this.#products;
    const at = chosen.findIndex(({ product }) => product.id === id);
    return [...chosen.slice(at + 1), ...chosen.slice(0, at)].find((one) => !soldOut(one));
  }

  longer({ product, offer }: ShowProduct, minutes: number) {
    const from = Math.max(offer.ends_at_ms ?? 0, Date.now());
    void this.#studio.try({ do: 'set_offer', product: product.id, offer: { ...offer, ends_at_ms: from + minutes * MINUTES } });
  }

  /** Keys of the panel: 1 to 9 show a product, 0 takes all off. Whether the press was one of them. */
  key(event: KeyboardEvent): boolean {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || !/^[0-9]$/.test(event.key)) return false;
    if (event.key === '0') this.show([]);
    else this.toggle(this.#products.chosen[Number(event.key) - 1]);
    return true;
  }
}
