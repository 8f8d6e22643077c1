import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { overwriteGetLocale } from './paraglide/runtime.js';
import type { ErrorCode } from './protocol';
import { healthSentence, sentence } from './sentences';

// The generated types are the list: a code that the engine learns fails here until it has its sentences.
const codes = (file: string) => {
  const text = readFileSync(new URL(`./protocol/${file}.ts`, import.meta.url), 'utf8');
  const found = [...text.slice(text.indexOf('export type')).matchAll(/"([a-z_0-9]+)"/g)].map((hit) => hit[1]!);
  expect(found.length, `codes in ${file}.ts`).toBeGreaterThan(5);
  return found;
};

describe.each(['en', 'fr'] as const)('catalogue %s', (locale) => {
  it('has title and hint of every error', () => {
    overwriteGetLocale(() => locale);
    const all = new Set<string>();
    for (const code of codes('ErrorCode')) {
      const { title, hint } = sentence({ code: code as ErrorCode, params: {}, severity: 'error', retry_after_ms: null });
      expect(title, code).not.toBe(sentence({ code: 'x' as ErrorCode, params: {}, severity: 'error', retry_after_ms: null }).title);
      expect(hint.length, code).toBeGreaterThan(10);
      expect(title + hint, code).not.toContain('undefined');
      all.add(title);
    }
    expect(all.size, 'every error has a title of its own').toBe(codes('ErrorCode').length);
  });

  it('has a sentence for every trouble', () => {
    overwriteGetLocale(() => locale);
    for (const code of codes('HealthCode')) {
      const words = healthSentence(
        { code: code as never, severity: 'warning', since_ms: 0, source: null, destination: null, params: {} },
        { source: 'Camera', destination: 'Server' },
      );
      expect(words, code).not.toContain(code);
      expect(words, code).not.toContain('undefined');
    }
  });
});

it('names what it is about', () => {
  overwriteGetLocale(() => 'en');
  const error = { code: 'key_refused' as const, params: { host: 'live.example' }, severity: 'error' as const, retry_after_ms: null };
  expect(sentence(error).title + sentence(error).hint).toContain('live.example');
});

it('says something about a code that it does not know', () => {
  overwriteGetLocale(() => 'en');
  const words = sentence({ code: 'brand_new' as ErrorCode, params: {}, severity: 'error', retry_after_ms: null });
  expect(words.hint).toContain('brand_new');
});
