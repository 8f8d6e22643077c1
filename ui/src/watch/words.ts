/**
 * The viewer page's words: the catalogues of `messages/`, both languages at hand, without the desk's runtime
 * and the desk's messages, so that the page stays a few kilobytes.
 */
import en from '../../messages/en/watch.json';
import fr from '../../messages/fr/watch.json';

export type Locale = 'en' | 'fr';
export type Key = keyof typeof en;

const catalogues: Record<Locale, Record<Key, string>> = { en, fr };
const CHOICE = 'streamcore.locale';

const known = (tag: string | null | undefined): Locale | undefined => {
  const language = tag?.toLowerCase().split('-')[0];
  return language === 'en' || language === 'fr' ? language : undefined;
};

/** The first language that the page speaks: what was chosen before, then what the browser wants. */
export function pick(chosen: string | null, wanted: readonly string[]): Locale {
  for (const tag of [chosen, ...wanted]) {
    const locale = known(tag);
    if (locale) return locale;
  }
  return 'en';
}

export function remembered(): string | null {
  try {
    return localStorage.getItem(CHOICE);
  } catch {
    return null; // Storage can be closed to a page; then the browser decides.
  }
}

export function remember(locale: Locale): void {
  try {
    localStorage.setItem(CHOICE, locale);
  } catch {
    // The choice then lasts as long as the page.
  }
}

/** A message, with its blanks filled. */
export function say(locale: Locale, key: Key, blanks: Record<string, string> = {}): string {
  return catalogues[locale][key].replace(/\{(\w+)\}/g, (whole, name: string) => blanks[name] ?? whole);
}

/** "1 viewer", "1,284 viewers", in the language's own plural and figures. */
export function sayViewers(locale: Locale, count: number): string {
  const one = new Intl.PluralRules(locale).select(count) === 'one';
  const key: Key = one ? 'watch_viewers_one' : 'watch_viewers_other';
  return say(locale, key, { count: figures(locale, count) });
}

/** "Only 3 left.", in the language's own plural and figures. */
export function sayStock(locale: Locale, count: number): string {
  const one = new Intl.PluralRules(locale).select(count) === 'one';
  return say(locale, one ? 'watch_product_left_one' : 'watch_product_left_other', { count: figures(locale, count) });
}

export function figures(locale: Locale, count: number): string {
  return new Intl.NumberFormat(locale).format(count);
}

/** Tenths of a second; never "0.0", for no picture is from now. */
export function sayDelay(locale: Locale, ms: number): string {
  const seconds = Math.max(0.1, Math.round(ms / 100) / 10);
  const tenths = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  return say(locale, 'watch_delay', { seconds: tenths.format(seconds) });
}

export function sayTime(locale: Locale, at: Date): string {
  return new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit' }).format(at);
}
