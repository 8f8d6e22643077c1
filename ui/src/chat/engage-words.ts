/** What pages say of polls, questions, giveaways and raids: both languages at hand, without a runtime. */
import en from '../../messages/en/engage.json';
import fr from '../../messages/fr/engage.json';
import { fill, type ChatLocale } from './says';

export type EngageKey = keyof typeof en;

const catalogues: Record<ChatLocale, Record<EngageKey, string>> = { en, fr };

export function sayEngage(locale: ChatLocale, key: EngageKey, blanks: Record<string, string> = {}): string {
  return fill(catalogues[locale][key], blanks);
}

/** "1 vote", "1,284 votes": each has a `_one` and an `_other`. */
export function sayMany(locale: ChatLocale, what: 'votes' | 'entries' | 'winners' | 'seconds', count: number): string {
  const form = new Intl.PluralRules(locale).select(count) === 'one' ? 'one' : 'other';
  return sayEngage(locale, `engage_${what}_${form}`, { count: new Intl.NumberFormat(locale).format(count) });
}

/** "62 %": as the language writes it. */
export function sayShare(locale: ChatLocale, share: number): string {
  return new Intl.NumberFormat(locale, { style: 'percent' }).format(share);
}

/** Where a raid goes, short enough to be read: the room's name here, the host and the name elsewhere. */
export function placeOf(to: string): string {
  const elsewhere = /^https?:\/\/([^/]+)\/watch\/(.+)$/.exec(to);
  return elsewhere ? `${elsewhere[1]} · ${elsewhere[2]}` : to.replace(/^\/watch\//, '');
}
