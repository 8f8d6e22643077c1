/** What stands at the right of the desk. */
export type AudienceTab = 'chat' | 'products' | 'engage' | 'money' | 'show';

const KEY = 'studio.audience.tab';

/** The tab that was shown last on this computer. */
export function rememberedTab(): AudienceTab {
  try {
    const tab = localStorage.getItem(KEY);
    return tab === 'chat' || tab === 'products' || tab === 'engage' || tab === 'money' ? tab : 'show';
  } catch {
    return 'show';
  }
}

export function rememberTab(tab: AudienceTab): void {
  try {
    localStorage.setItem(KEY, tab);
  } catch {
    // The choice then lasts as long as the page.
  }
}

/** Puts the hand into the search over the catalogue, once its tab is shown. */
export function toProductSearch(show: (tab: AudienceTab) => void) {
  show('products');
  requestAnimationFrame(() => document.querySelector<HTMLInputElement>('[data-product-search]')?.focus());
}
