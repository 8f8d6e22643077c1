/** How a meter moves: up at once, down 20 dB in 1.7 s; the highest peak stands for 1.5 s. */

export const FLOOR_DB = -60;
/** dB per millisecond. */
const FALL = 20 / 1700;
const HOLD_MS = 1500;

export interface Needle {
  peak: number;
  rms: number;
  hold: number;
  heldSince: number;
}

export const restingNeedle = (): Needle => ({ peak: FLOOR_DB, rms: FLOOR_DB, hold: FLOOR_DB, heldSince: 0 });

/** Moves a needle on to `now` (milliseconds), with the level that was measured last. */
export function moveNeedle(needle: Needle, level: { peak: number; rms: number }, elapsedMs: number, now: number) {
  const fallen = FALL * Math.max(0, elapsedMs);
  needle.peak = Math.max(FLOOR_DB, level.peak, needle.peak - fallen);
  needle.rms = Math.max(FLOOR_DB, level.rms, needle.rms - fallen);
  if (level.peak >= needle.hold) {
    needle.hold = Math.max(FLOOR_DB, level.peak);
    needle.heldSince = now;
  } else if (now - needle.heldSince > HOLD_MS) {
    needle.hold = Math.max(needle.peak, needle.hold - fallen);
  }
}
