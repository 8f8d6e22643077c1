import { expect, test } from 'vitest';
import { readAmount, sayMoney, saySum } from './says';

test('amounts are read without floats, and nothing else is one', () => {
  expect(readAmount('12', 2)).toBe(1200);
  expect(readAmount('1 234,5', 2)).toBe(123_450);
  expect(readAmount('0.29', 2)).toBe(29);
  expect(readAmount('300', 0)).toBe(300);
  for (const none of ['', '-1', '1e3', '0.001', '1.5.2', 'Infinity', '٣', '12 €']) expect(readAmount(none, 2)).toBeUndefined();
  expect(readAmount('1.5', 0)).toBeUndefined();
});

test('a sum is written in the language, and what somebody wrote fills no other blank', () => {
  const sum = { minor: 2000, currency: 'EUR', digits: 2 };
  expect(saySum('en', sum)).toBe('€20.00');
  expect(saySum('fr', sum).replace(/\s/g, ' ')).toBe('20,00 €');
  expect(sayMoney('en', 'money_tip_of', { sum: '€1', name: '{sum}' })).toBe('€1 from {sum}');
});
