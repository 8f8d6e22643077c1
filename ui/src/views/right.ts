/** What stands at the right of the desk. */
export type RightTab = 'show' | 'products';

/** Puts the hand into the search over the catalogue, once its tab is shown. */
export function toProductSearch(show: (tab: RightTab) => void) {
  show('products');
  requestAnimationFrame(() => document.querySelector<HTMLInputElement>('[data-product-search]')?.focus());
}
