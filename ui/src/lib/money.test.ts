import { describe, expect, it } from 'vitest';
import { digitsOf, parseAmount, price, priceBefore } from './money';

describe('money', () => {
  it('is written with the digits of its currency', () => {
    expect(price({ minor: 3230, currency: 'EUR', digits: 2, was_minor: 3800 })).toBe('€32.30');
    expect(priceBefore({ minor: 3230, currency: 'EUR', digits: 2, was_minor: 3800 })).toBe('€38.00');
    expect(priceBefore({ minor: 3230, currency: 'EUR', digits: 2, was_minor: null })).toBeUndefined();
    expect(price({ minor: 1500, currency: 'JPY', digits: 0, was_minor: null })).toBe('¥1,500');
    expect(digitsOf('TND')).toBe(3);
  });

  it('is read with point or comma, and never guessed', () => {
    expect(parseAmount('32,30', 2)).toBe(3230);
    expect(parseAmount(' 1 234.5 ', 2)).toBe(123450);
    expect(parseAmount('19.99', 2)).toBe(1999);
    expect(parseAmount('1500', 0)).toBe(1500);
    for (const bad of ['', 'x', '-1', '1.234', '1,2,3', '1e3', '.5']) expect(parseAmount(bad, 2), bad).toBeUndefined();
  });
});
