import { expect, it } from 'vitest';
import { tokenOf } from './host';

it('reads the token from the fragment and from nothing else', () => {
  expect(tokenOf('#token=abc-123')).toBe('abc-123');
  expect(tokenOf('#x=1&token=a%2Bb')).toBe('a+b');
  expect(tokenOf('#token=')).toBeUndefined();
  expect(tokenOf('')).toBeUndefined();
});
