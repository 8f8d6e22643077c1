import { describe, expect, it } from 'vitest';
import type { Studio } from '$lib/engine/studio.svelte';
import type { Command, ShowProduct, Stock } from '$lib/protocol';
import { Featuring } from './featuring';

const product = (id: string, stock: Stock = { stock: 'in_stock', left: null }): ShowProduct => ({
  product: { id, shop: null, title: id, sku: '', price: null, stock, link: '', image: '' },
  offer: { note: '', promo_code: '', ends_at_ms: null },
  counting_since_ms: null,
});

function desk(featured: string[] = []) {
  const asked: Command[] = [];
  const chosen = [product('a'), product('b', { stock: 'sold_out' }), product('c')];
  const studio = { state: { products: { chosen, featured, catalogue: 3 } }, try: async (command: Command) => void asked.push(command) };
  return { asked, chosen, featuring: new Featuring(studio as unknown as Studio) };
}

const press = (key: string, more: Partial<KeyboardEvent> = {}) => ({ key, ctrlKey: false, metaKey: false, altKey: false, repeat: false, ...more }) as KeyboardEvent;

describe('keys of the products', () => {
  it('show one at once, take it off again, and take all off', () => {
    const { asked, featuring } = desk(['c']);
    expect(featuring.key(press('1'))).toBe(true);
    featuring.key(press('3'));
    featuring.key(press('0'));
    expect(asked).toEqual([['a'], [], []].map((products) => ({ do: 'feature_products', products })));
  });

  it('do nothing for what is sold out, not there, or another key', () => {
    const { asked, featuring } = desk();
    expect(featuring.key(press('2'))).toBe(true);
    expect(featuring.key(press('9'))).toBe(true);
    expect(featuring.key(press('1', { ctrlKey: true }))).toBe(false);
    expect(featuring.key(press('m'))).toBe(false);
    expect(asked).toEqual([]);
  });

  it('go on with what can be bought, round the list', () => {
    const { featuring } = desk();
    expect(featuring.after('a')?.product.id).toBe('c');
    expect(featuring.after('c')?.product.id).toBe('a');
  });

  it('keep the newest three', () => {
    const { asked, featuring } = desk(['x', 'y', 'z']);
    featuring.add('a');
    expect(asked).toEqual([{ do: 'feature_products', products: ['y', 'z', 'a'] }]);
  });
});
