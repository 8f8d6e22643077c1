import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const parts = ['desk', 'errors', 'watch'];
const catalogue = (locale: string, part: string): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL(`../../messages/${locale}/${part}.json`, import.meta.url), 'utf8'));
const names = (text: unknown) => [...JSON.stringify(text).matchAll(/\{(\w+)\}/g)].map((hit) => hit[1]).sort();

describe.each(parts)('catalogue %s', (part) => {
  const en = catalogue('en', part);
  const fr = catalogue('fr', part);

  it('has the same messages in both languages', () => {
    expect(Object.keys(fr).sort()).toEqual(Object.keys(en).sort());
  });

  it('names the same values in both languages', () => {
    for (const key of Object.keys(en)) {
      expect(new Set(names(fr[key])), key).toEqual(new Set(names(en[key])));
    }
  });
});
