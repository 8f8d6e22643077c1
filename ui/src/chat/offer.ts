/** What a product costs at a moment, and how that is written. */
import type { Price, Product } from '../lib/protocol/chat';
import type { ChatLocale } from './says';

/** What a page shows of a product at one moment. */
export interface Offer {
  price: Price | undefined;
  /** The regular price, to be struck. */
  was: Price | undefined;
  code: string | undefined;
  /** How long the offer holds still, in milliseconds; absent without an end. */
  leftMs: number | undefined;
  soldOut: boolean;
  /** How many are left, when they are few. */
  left: number | undefined;
}

/** What is offered at `now` of the server's clock. When the time is over, code and reduced price are. */
export function offerAt(product: Product, now: number): Offer {
  const { price, promo_code: code, ends_at_ms: ends, stock } = product;
  const over = ends !== undefined && ends <= now;
  const regular = price?.was_minor === undefined ? undefined : { ...price, minor: price.was_minor };
  const soldOut = stock.is === 'sold_out';
  return {
    price: over ? (regular ?? price) : price,
    was: over ? undefined : regular,
    code: over || soldOut ? undefined : code,
    leftMs: ends === undefined || over || soldOut ? undefined : ends - now,
    soldOut,
    left: stock.is === 'low' ? stock.left : undefined,
  };
}

/** "€32.30", "32,30 €", "¥3,230": as the language writes it, with as many digits as the price has. */
export function sayPrice(locale: ChatLocale, { minor, currency, digits }: Price): string {
  const key = `${locale} ${currency} ${digits}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(locale, {
      style: 'currency',
      currency,
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    });
    formats.set(key, format);
  }
  return format.format(minor / 10 ** digits);
}

/** Making one takes longer than using it a hundred times, and a list is written every second. */
const formats = new Map<string, Intl.NumberFormat>();

/** "04:12", "1:02:03", "49:00:00": a clock that counts down. */
export function sayLeft(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${two(m)}:${two(s)}`;
}
