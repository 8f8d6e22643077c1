/** Paints a stereo meter: peak behind, RMS before, a line for the held peak. */
import { FLOOR_DB, type Needle } from '$lib/engine/ballistics';
import type { Stereo } from '$lib/engine/meters';

export interface MeterColours {
  well: string;
  low: string;
  mid: string;
  high: string;
  hold: string;
}

export function meterColours(element: Element): MeterColours {
  const style = getComputedStyle(element);
  const token = (name: string) => style.getPropertyValue(name).trim();
  return { well: token('--well'), low: token('--meter-low'), mid: token('--meter-mid'), high: token('--meter-high'), hold: token('--meter-hold') };
}

const MID_DB = -18;
const HIGH_DB = -6;
const GAP = 2;
const at = (db: number) => (db - FLOOR_DB) / -FLOOR_DB;

/** `along` is the way that the level goes, `across` the room for both channels, in pixels of the canvas. */
export function paintMeter(context: CanvasRenderingContext2D, colours: MeterColours, needles: Stereo, lying: boolean) {
  const { width, height } = context.canvas;
  const [along, across] = lying ? [width, height] : [height, width];
  const gap = GAP * (window.devicePixelRatio || 1);
  const bar = (across - gap) / 2;
  const fill = (from: number, to: number, offset: number, thickness: number) => {
    if (to <= from) return;
    if (lying) context.fillRect(from * along, offset, (to - from) * along, thickness);
    else context.fillRect(offset, (1 - to) * along, thickness, (to - from) * along);
  };
  const zones = (to: number, offset: number) => {
    for (const [from, end, colour] of [[FLOOR_DB, MID_DB, colours.low], [MID_DB, HIGH_DB, colours.mid], [HIGH_DB, 0, colours.high]] as const) {
      context.fillStyle = colour;
      fill(at(from), Math.min(at(end), to), offset, bar);
    }
  };
  const channel = (needle: Needle, offset: number) => {
    context.globalAlpha = 1;
    context.fillStyle = colours.well;
    fill(0, 1, offset, bar);
    context.globalAlpha = 0.14;
    zones(1, offset);
    context.globalAlpha = 0.5;
    zones(Math.min(1, at(needle.peak)), offset);
    context.globalAlpha = 1;
    zones(Math.min(1, at(needle.rms)), offset);
    if (needle.hold > FLOOR_DB) {
      context.fillStyle = colours.hold;
      const held = Math.min(1, at(needle.hold));
      fill(Math.max(0, held - (2 * (window.devicePixelRatio || 1)) / along), held, offset, bar);
    }
  };
  context.clearRect(0, 0, width, height);
  channel(needles.left, 0);
  channel(needles.right, bar + gap);
}
