/** Words and sums of tips and tickets, for all pages: both languages at hand, without a runtime. */
import en from '../../messages/en/money.json';
import fr from '../../messages/fr/money.json';
import { fill, type ChatLocale } from '../chat/says';
import { sayPrice } from '../chat/offer';
import type { Sum } from '../lib/protocol/chat';

export type MoneyKey = keyof typeof en;

const catalogues: Record<ChatLocale, Record<MoneyKey, string>> = { en, fr };

export function sayMoney(locale: ChatLocale, key: MoneyKey, blanks: Record<string, string> = {}): string {
  return fill(catalogues[locale][key], blanks);
}

/** "€20.00", "20,00 €". */
export function saySum(locale: ChatLocale, sum: Sum): string {
  return sayPrice(locale, sum);
}

/** An amount that a person typed, with comma or point; `undefined` when it is none of this currency. Never by way of a float. */
export function readAmount(text: string, digits: number): number | undefined {
  const match = /^(\d{1,9})(?:[.,](\d+))?$/.exec(text.replace(/[\s\u00a0\u202f]/g, ''));
  const part = match?.[2] ?? '';
  if (!match || part.length > digits) return undefined;
  return Number(match[1] + part.padEnd(digits, '0'));
}
