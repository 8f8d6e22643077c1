import { describe, expect, it } from 'vitest';
import type { Product } from '../lib/protocol/chat';
import { ServerClock } from './clock';
import { offerAt, sayLeft, sayPrice } from './offer';

const price = { minor: 3230, currency: 'EUR', digits: 2, was_minor: 3800 };
const product = (part: Partial<Product> = {}): Product => ({ id: 'a', title: 'Vinyl', stock: { is: 'in_stock' }, ...part });

describe('an offer', () => {
  it('holds to its last millisecond by the server’s clock', () => {
    const one = product({ price, promo_code: 'LIVE15', ends_at_ms: 5000 });
    expect(offerAt(one, 4999)).toMatchObject({ code: 'LIVE15', leftMs: 1, price: { minor: 3230 }, was: { minor: 3800 } });
  });

  it('is over with code and reduced price', () => {
    const over = offerAt(product({ price, promo_code: 'LIVE15', ends_at_ms: 5000 }), 5000);
    expect(over).toMatchObject({ code: undefined, leftMs: undefined, was: undefined, price: { minor: 3800 } });
  });

  it('without an end goes on', () => {
    expect(offerAt(product({ price, promo_code: 'X' }), 1e15)).toMatchObject({ code: 'X', was: { minor: 3800 }, leftMs: undefined });
  });

  it('of what is sold out has no code and no clock, and keeps its price', () => {
    const gone = offerAt(product({ price, promo_code: 'X', ends_at_ms: 9000, stock: { is: 'sold_out' } }), 0);
    expect(gone).toMatchObject({ soldOut: true, code: undefined, leftMs: undefined, price: { minor: 3230 } });
  });

  it('says how many are left when they are few', () => {
    expect(offerAt(product({ stock: { is: 'low', left: 3 } }), 0).left).toBe(3);
    expect(offerAt(product(), 0).left).toBeUndefined();
  });
});

it('prices are written as the language does, with their own digits', () => {
  expect(sayPrice('en', price)).toBe('€32.30');
  expect(sayPrice('fr', price)).toMatch(/^32,30\s€$/u);
  expect(sayPrice('en', { minor: 3230, currency: 'JPY', digits: 0 })).toBe('¥3,230');
  expect(sayPrice('en', { minor: 1234, currency: 'KWD', digits: 3 })).toContain('1.234');
  expect(sayPrice('en', { minor: 100, currency: 'ZZZ', digits: 2 }), 'a currency that nobody knows').toContain('1.00');
});

it('a clock counts down to nothing', () => {
  expect([252_000, 59_001, 1, 3_723_000].map(sayLeft)).toEqual(['04:12', '01:00', '00:01', '1:02:03']);
});

it('the page goes by the server’s clock, whatever the visitor’s says', () => {
  let since = 1000;
  const clock = new ServerClock(() => since);
  clock.set(5_000_000);
  since += 250;
  expect(clock.now()).toBe(5_000_250);
});
