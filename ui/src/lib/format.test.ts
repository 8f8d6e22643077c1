import { afterEach, expect, it } from 'vitest';
import { bare, bytes, clockTime, db, lasting, megabits, parseNumber, percent, timeOfDay } from './format';
import { overwriteGetLocale } from './paraglide/runtime.js';

afterEach(() => overwriteGetLocale(() => 'en'));

it('writes decibels with a true minus, one place and no negative zero', () => {
  expect(db(-3)).toBe('−3.0 dB');
  expect(db(-0.02)).toBe('0.0 dB');
  expect(db(12)).toBe('12.0 dB');
  expect(db(-96)).toBe('−∞ dB');
});

it('follows the language', () => {
  overwriteGetLocale(() => 'fr');
  expect(db(-3.5)).toBe('−3,5 dB');
  expect(bytes(563e6)).toBe('563 Mo');
  expect(lasting(78 * 3600)).toMatch(/^78\sh$/);
});

it('writes rates, sizes and times', () => {
  expect(megabits(6010)).toBe('6.0');
  expect(bytes(4.25e9)).toBe('4.3 GB');
  expect(clockTime(751_900)).toBe('00:12:31');
  expect(clockTime(-5)).toBe('00:00:00');
  expect(timeOfDay(new Date(2026, 10, 21, 20, 14).getTime()), 'as short as the lamp’s').toBe('20:14');
  expect(percent(41.6)).toBe('42 %');
});

it('reads back what it writes into fields', () => {
  for (const locale of ['en', 'fr'] as const) {
    overwriteGetLocale(() => locale);
    for (const value of [0, -0.04, 1280, -1536.5, 0.1]) {
      expect(parseNumber(bare(value)), `${value} in ${locale}`).toBeCloseTo(value, 0);
    }
  }
});

it('reads what a person types', () => {
  expect(parseNumber('−3,5 dB')).toBe(-3.5);
  expect(parseNumber(' +12 ')).toBe(12);
  expect(parseNumber('.5')).toBe(0.5);
  for (const bad of ['', 'abc', '1.2.3', '--3', '3 dBs']) expect(parseNumber(bad), bad).toBeUndefined();
});
