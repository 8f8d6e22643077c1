/** Money as a person of this language writes it. Amounts are whole numbers of the currency's smallest unit. */
import { getLocale } from './paraglide/runtime.js';
import type { Price } from './protocol';

export const CURRENCIES = ['EUR', 'USD', 'GBP', 'CHF', 'CAD', 'JPY', 'XOF', 'MAD', 'TND'];

/** Digits behind the decimal point that a currency has. */
export const digitsOf = (currency: string): number =>
  new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;

const written = (minor: number, { currency, digits }: Price) =>
  new Intl.NumberFormat(getLocale(), { style: 'currency', currency, minimumFractionDigits: digits, maximumFractionDigits: digits }).format(minor / 10 ** digits);

export const price = (of: Price) => written(of.minor, of);
/** What it cost before, if it is reduced. */
export const priceBefore = (of: Price) => (of.was_minor === null ? undefined : written(of.was_minor, of));

/** An amount in a field, without its currency. */
export const bareAmount = (minor: number, digits: number) =>
  new Intl.NumberFormat(getLocale(), { useGrouping: false, minimumFractionDigits: digits, maximumFractionDigits: digits }).format(minor / 10 ** digits);

/** An amount that a person typed, with comma or point; `undefined` when it is none of this currency. Never by way of a float. */
export function parseAmount(text: string, digits: number): number | undefined {
  const match = /^(\d{1,11})(?:[.,](\d+))?$/.exec(text.trim().replace(/[\s\u00a0\u202f]/g, ''));
  const part = match?.[2] ?? '';
  if (!match || part.length > digits) return undefined;
  return Number(match[1] + part.padEnd(digits, '0'));
}
