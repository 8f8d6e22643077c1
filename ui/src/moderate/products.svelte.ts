/** The keys that feature products: 1 to 9 show one at once, 0 takes all off. They can be turned off (WCAG 2.1.4). */
import type { Moderation } from './moderation.svelte';

/** Products that are shown at once, as the server has it. */
export const MOST_FEATURED = 3;

const KEPT = 'streamcore.moderate.keys';

export class ProductKeys {
  on = $state(kept());

  constructor(private readonly desk: Moderation) {}

  turn(): void {
    this.on = !this.on;
    try {
      localStorage.setItem(KEPT, this.on ? 'on' : 'off');
    } catch {
      // It then lasts as long as the page.
    }
  }

  /** Takes the key if it is one of these; never while somebody writes. */
  keyed(event: KeyboardEvent): void {
    if (!this.on || event.ctrlKey || event.metaKey || event.altKey || event.repeat || !/^\d$/.test(event.key)) return;
    if (event.target instanceof Element && event.target.closest('input, textarea, select, [contenteditable]')) return;
    const product = this.desk.products[Number(event.key) - 1];
    if (event.key === '0' && this.desk.featured.length > 0) void this.desk.featureNone();
    else if (product) void this.desk.featureAlone(product);
    else return;
    event.preventDefault();
  }
}

function kept(): boolean {
  try {
    return localStorage.getItem(KEPT) !== 'off';
  } catch {
    return true;
  }
}
