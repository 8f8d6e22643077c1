/** The chat's words, for the pages that carry their own small catalogue: both languages at hand, without a runtime. */
import en from '../../messages/en/chat.json';
import fr from '../../messages/fr/chat.json';
import type { Refused, Role } from '../lib/protocol/chat';

export type ChatLocale = 'en' | 'fr';
export type ChatKey = keyof typeof en;

const catalogues: Record<ChatLocale, Record<ChatKey, string>> = { en, fr };

/** Fills the blanks of a message. */
export function fill(message: string, blanks: Record<string, string>): string {
  return message.replace(/\{(\w+)\}/g, (whole, name: string) => blanks[name] ?? whole);
}

export function sayChat(locale: ChatLocale, key: ChatKey, blanks: Record<string, string> = {}): string {
  return fill(catalogues[locale][key], blanks);
}

/** A message that counts: each has a `_one` and an `_other`. */
export function sayCount(locale: ChatLocale, what: 'new' | 'left' | 'over', count: number): string {
  const form = new Intl.PluralRules(locale).select(count) === 'one' ? 'one' : 'other';
  return sayChat(locale, `chat_${what}_${form}`, { count: new Intl.NumberFormat(locale).format(count) });
}

/** "45 s", "4 min 59 s", "2 h 5 min", "3 d 4 h": the two largest units. */
export function sayWait(locale: ChatLocale, ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  const units: [Intl.NumberFormatOptions['unit'], number][] = [
    ['day', Math.floor(seconds / 86_400)],
    ['hour', Math.floor(seconds / 3600) % 24],
    ['minute', Math.floor(seconds / 60) % 60],
    ['second', seconds % 60],
  ];
  const first = units.findIndex(([, value]) => value > 0);
  const shown = units.slice(first, first + 2).filter(([, value]) => value > 0);
  const say = ([unit, value]: (typeof units)[number]) =>
    new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'short' }).format(value);
  return shown.map(say).join(' ');
}

/** The role in words; none for viewers. */
export function sayRole(locale: ChatLocale, role: Role): string {
  if (role === 'host') return sayChat(locale, 'chat_role_host');
  return role === 'moderator' ? sayChat(locale, 'chat_role_moderator') : '';
}

/** Why something was not done and what to do next. */
export function sayRefused(locale: ChatLocale, why: Refused): string {
  switch (why.code) {
    case 'too_long':
      return sayChat(locale, 'chat_refused_too_long', { most: String(why.most) });
    case 'too_fast':
    case 'timed_out':
    case 'crowded':
      return sayChat(locale, `chat_refused_${why.code}`, { wait: sayWait(locale, why.retry_after_ms) });
    default:
      return sayChat(locale, `chat_refused_${why.code}`);
  }
}
