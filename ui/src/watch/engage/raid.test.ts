import { expect, it } from 'vitest';
import { destination } from './raid';

it('a raid leads to a viewer page and nowhere else', () => {
  const here = 'http://192.168.1.5:8080/watch/show';
  expect(destination('/watch/night-2', here)).toBe('http://192.168.1.5:8080/watch/night-2');
  expect(destination('https://live.example/watch/a_b', here)).toBe('https://live.example/watch/a_b');
  expect(destination('http://localhost:1/watch/a', here)).toBe('http://localhost:1/watch/a');
  expect(destination('http://live.example/watch/a', 'https://here.example/watch/x'), 'out of https').toBeUndefined();
  for (const bad of [
    'javascript:alert(1)',
    'data:text/html,x',
    '/moderate/show',
    '//evil.example/x',
    '/watch/a/../../x',
    '/watch/a?x',
    '/watch/a#x',
    'https://me@live.example/watch/a',
    'ftp://live.example/watch/a',
    '',
  ]) {
    expect(destination(bad, here), bad).toBeUndefined();
  }
});
