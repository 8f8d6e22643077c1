/** Where a gain stands on the fader's way, and back. */

/** Top of the fader; the engine takes more, but nobody should reach it by a slip of the hand. */
export const TOP_DB = 12;
/** Bottom of the linear part; below it is silence. */
export const BOTTOM_DB = -60;
export const SILENCE_DB = -96;
/** 0 dB stands here: the useful range gets most of the way. */
const ZERO_AT = 0.75;

/** 0 at the bottom, 1 at the top. From −60 dB to 0 dB the way is a curve that gives the upper decibels more room. */
export function placeOf(gain: number): number {
  if (gain <= BOTTOM_DB) return 0;
  if (gain >= 0) return Math.min(1, ZERO_AT + (gain / TOP_DB) * (1 - ZERO_AT));
  return ZERO_AT * (1 - gain / BOTTOM_DB) ** 1.6;
}

/** The gain at a place; the very bottom is silence. Rounded to a tenth of a decibel. */
export function gainAt(place: number): number {
  if (place <= 0) return SILENCE_DB;
  const gain = place >= ZERO_AT ? ((place - ZERO_AT) / (1 - ZERO_AT)) * TOP_DB : BOTTOM_DB * (1 - (place / ZERO_AT) ** (1 / 1.6));
  return Math.round(Math.min(TOP_DB, gain) * 10) / 10;
}

/** One step by key from a gain; silence is one step below the bottom. */
export function stepped(gain: number, by: number): number {
  if (gain <= SILENCE_DB) return by > 0 ? BOTTOM_DB : SILENCE_DB;
  const next = Math.round((gain + by) * 10) / 10;
  if (next < BOTTOM_DB) return SILENCE_DB;
  return Math.min(TOP_DB, next);
}
