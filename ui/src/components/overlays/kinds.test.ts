import { describe, expect, it } from 'vitest';
import type { Overlay, PreparedOverlay } from '$lib/protocol';
import { detailOf, offered, over, timeLeft, type Products } from './kinds';

const products = (featured: string[]): Products => ({ chosen: [], featured, catalogue: 0 });
const card = (product: string, shown: boolean): PreparedOverlay => ({ overlay: { kind: 'product_card', product }, shown });

describe('what a switch shows', () => {
  it('is the product that viewers look at, unless another one is on the picture', () => {
    expect(offered([], products([]), 'product_card')).toBeUndefined();
    expect(offered([], products(['a']), 'product_card')).toEqual(card('a', false));
    expect(offered([card('b', false)], products(['a']), 'product_card')).toEqual(card('a', false));
    expect(offered([card('b', true)], products(['a']), 'product_card')).toEqual(card('b', true));
    expect(offered([card('b', false)], products([]), 'product_card')).toEqual(card('b', false));
  });

  it('is what was made ready', () => {
    const title: PreparedOverlay = { overlay: { kind: 'lower_third', title: 'Maya', subtitle: '' }, shown: false };
    expect(offered([title], products(['a']), 'lower_third')).toBe(title);
    expect(offered([title], products(['a']), 'goal')).toBeUndefined();
  });
});

describe('a countdown', () => {
  const countdown: Overlay = { kind: 'countdown', label: '', ends_at_ms: 90_000 };
  it('is said to the second that it shows', () => {
    expect(detailOf(countdown, products([]), 0)).toBe('01:30');
    expect(detailOf(countdown, products([]), 1)).toBe('01:30');
    expect(timeLeft(3_600_000)).toBe('01:00:00');
    expect(timeLeft(-5)).toBe('00:00');
  });
  it('is over at its end', () => {
    expect(over(countdown, 89_999)).toBe(false);
    expect(over(countdown, 90_000)).toBe(true);
  });
});
