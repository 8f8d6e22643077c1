import { describe, expect, it } from 'vitest';
import { pick, say, sayDelay, sayViewers } from './words';

describe('the language', () => {
  it('is what was chosen, then what the browser wants, then English', () => {
    expect(pick('fr', ['en-GB'])).toBe('fr');
    expect(pick(null, ['de-DE', 'fr-CA', 'en'])).toBe('fr');
    expect(pick('xx', ['de'])).toBe('en');
  });
});

describe('words', () => {
  it('count in the plural of the language', () => {
    expect(sayViewers('en', 0)).toBe('0 viewers');
    expect(sayViewers('en', 1)).toBe('1 viewer');
    expect(sayViewers('fr', 0)).toBe('0 spectateur');
    expect(sayViewers('fr', 1284)).toMatch(/^1\s284 spectateurs$/);
  });

  it('tell the delay in tenths, and never none', () => {
    expect(sayDelay('en', 212)).toBe('0.2 s behind');
    expect(sayDelay('fr', 1250)).toBe('1,3 s de retard');
    expect(sayDelay('en', 3)).toBe('0.1 s behind');
  });

  it('put text in as text', () => {
    expect(say('en', 'watch_title', { title: '{count} <b>' })).toBe('{count} <b> · StreamCore');
  });
});
