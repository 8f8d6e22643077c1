import { expect, it } from 'vitest';
import { Pace } from './pace';
import { fill, sayCount, sayRefused, sayWait } from './says';
import { colourOf, lengthOf, parts } from './text';

const links = (text: string) => parts(text).flatMap((part) => (part.is === 'link' ? [part.text] : []));

it('only addresses of the web become links', () => {
  expect(links('see https://a.example/x?y=1#z, and http://b.example.')).toEqual(['https://a.example/x?y=1#z', 'http://b.example']);
  for (const none of ['javascript:alert(1)', 'data:text/html,x', 'ftp://a.example', 'a.example', 'https://', 'https://bank.example@evil.example/']) {
    expect(links(none), none).toEqual([]);
  }
});

it('nothing of the words is lost or changed', () => {
  for (const text of ['', 'a', '<img src=x onerror=alert(1)>', 'x https://a.example y', 'https://a.example/(b) (https://c.example)']) {
    expect(parts(text).map((part) => part.text).join('')).toBe(text);
  }
});

it('a bracket that was opened in an address belongs to it', () => {
  expect(links('https://a.example/(b) (https://c.example)')).toEqual(['https://a.example/(b)', 'https://c.example']);
});

it('characters are counted as the server counts them', () => {
  expect(lengthOf(' a\n b ')).toBe(3);
  expect(lengthOf('👍')).toBe(1);
  expect(lengthOf('e\u0301')).toBe(1);
});

it('a member has one colour, and members have different ones', () => {
  const colours = Array.from({ length: 200 }, (_, i) => colourOf(`m${i}`));
  expect(new Set(colours)).toEqual(new Set([1, 2, 3, 4, 5]));
  expect(colourOf('m1')).toBe(colours[1]);
});

it('waits are said in their two largest units', () => {
  expect(sayWait('en', 900)).toBe('1 sec');
  expect(sayWait('en', 299_000)).toBe('4 min 59 sec');
  expect(sayWait('fr', 3_600_000)).toMatch(/^1\sh$/);
});

it('refusals and counts are sentences in both languages', () => {
  expect(sayRefused('en', { code: 'too_long', most: 500 })).toContain('500');
  expect(sayRefused('fr', { code: 'timed_out', retry_after_ms: 61_000 })).toMatch(/1\smin 1\ss\./);
  expect(sayCount('en', 'new', 1)).toBe('1 new message');
  expect(sayCount('fr', 'new', 2)).toBe('2 nouveaux messages');
  expect(fill('{a} {b}', { a: '{b}' })).toBe('{b} {b}');
});

it('a flood is counted instead of read out', () => {
  const pace = new Pace();
  expect([1, 2, 3, 4, 5].map((i) => pace.take(1, i * 100))).toEqual([false, false, false, false, false]);
  expect(pace.take(3, 600)).toBe(true);
  expect(pace.count(600)).toBe(3);
  expect(pace.take(4, 700)).toBe(true);
  expect(pace.count(800), 'not at every message').toBe(0);
  expect(pace.count(10_700)).toBe(4);
  expect(pace.take(1, 20_000), 'calm again').toBe(false);
});
