/** Numbers as a person of this language writes them, with their unit. */
import { getLocale } from './paraglide/runtime.js';

const NARROW = '\u202f';
const formats = new Map<string, Intl.NumberFormat>();

function plain(value: number, digits: number): string {
  const locale = getLocale();
  const key = `${locale}:${digits}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
    formats.set(key, format);
  }
  // A true minus is as wide as a figure, so that numbers do not jump; −0.0 is 0.0.
  const rounded = Number(value.toFixed(digits));
  return format.format(rounded === 0 ? 0 : rounded).replace('-', '−');
}

export const count = (value: number) => plain(value, 0);
/** Decibels with one place; the bottom of a fader is silence. */
export const db = (value: number) => (value <= -96 ? '−∞ dB' : `${plain(value, 1)} dB`);
export const level = (value: number) => plain(value, 1);
export const dbfs = (value: number) => `${plain(value, 1)} dBFS`;
export const lufs = (value: number) => `${plain(value, 1)} LUFS`;
export const percent = (value: number) => `${plain(value, 0)} %`;
export const seconds = (ms: number) => `${plain(ms / 1000, ms % 1000 === 0 ? 0 : 1)} s`;

/** A rate in Mb/s, from kb/s. */
export const megabits = (kbps: number) => plain(kbps / 1000, 1);

/** Bytes in MB or GB. */
export function bytes(value: number): string {
  const [mega, giga] = getLocale() === 'fr' ? ['Mo', 'Go'] : ['MB', 'GB'];
  if (value < 1e9) return `${plain(value / 1e6, value < 1e7 ? 1 : 0)} ${mega}`;
  return `${plain(value / 1e9, value < 1e10 ? 1 : 0)} ${giga}`;
}

/** `00:12:31`. */
export function clockTime(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number) => String(n).padStart(2, '0');
  return `${two(Math.floor(total / 3600))}:${two(Math.floor(total / 60) % 60)}:${two(total % 60)}`;
}

/** `20:14`, of the wall. */
export const timeOfDay = (ms: number) =>
  new Intl.DateTimeFormat(getLocale(), { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(ms);

/** A length for reading: "3 h", "12 min". */
export function lasting(seconds: number): string {
  const unit = seconds >= 7200 ? 'hour' : seconds >= 120 ? 'minute' : 'second';
  const value = Math.floor(seconds / { hour: 3600, minute: 60, second: 1 }[unit]);
  return new Intl.NumberFormat(getLocale(), { style: 'unit', unit, unitDisplay: 'short' }).format(value);
}

/** A number in a field: without unit and grouping, so that it reads back as what it was. */
export const bare = (value: number) =>
  new Intl.NumberFormat(getLocale(), { useGrouping: false, maximumFractionDigits: 1 }).format(Number(value.toFixed(1)) || 0).replace('-', '−');

/** A number that a person typed, with comma or point, any minus, with or without unit. */
export function parseNumber(text: string): number | undefined {
  const bare = text.trim().replace(/\s*(dB|ms|%|px|°)$/i, '').replace('−', '-').replace(',', '.').replaceAll(NARROW, '');
  if (!/^[+-]?(\d+\.?\d*|\.\d+)$/.test(bare)) return undefined;
  return Number(bare);
}
