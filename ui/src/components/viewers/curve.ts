/** A show's minutes as a drawing: viewers as a line over an area, messages and clicks as bars under it. */
import type { CurvePoint } from '$lib/protocol/chat';

export interface Bar {
  x: number;
  width: number;
  /** Of the band's height, 0 to 1. */
  messages: number;
  clicks: number;
}

export interface Curve {
  line: string;
  area: string;
  bars: Bar[];
  /** The most viewers at a time. */
  peak: number;
}

/** Draws into `width` × `height`; each minute holds its place whether anything happened in it or not. */
export function drawn(minutes: readonly CurvePoint[], width: number, height: number): Curve {
  const first = minutes[0];
  const last = minutes[minutes.length - 1];
  if (!first || !last) return { line: '', area: '', bars: [], peak: 0 };
  const span = (last.minute_ms - first.minute_ms) / 60_000 + 1;
  const step = width / span;
  const peak = Math.max(...minutes.map((minute) => minute.viewers));
  const most = (of: (minute: CurvePoint) => number) => Math.max(1, ...minutes.map(of));
  const messages = most((minute) => minute.messages);
  const clicks = most(clicksOf);
  const at = (minute: CurvePoint) => ((minute.minute_ms - first.minute_ms) / 60_000) * step;
  const y = (viewers: number) => round(height - (viewers / Math.max(1, peak)) * (height - 2) - 1);
  const steps = minutes.map((minute) => `${round(at(minute))} ${y(minute.viewers)}H${round(at(minute) + step)}`);
  const line = `M${steps.join('L')}`;
  return {
    line,
    area: `${line}V${height}H0Z`,
    peak,
    bars: minutes.map((minute) => ({
      x: round(at(minute)),
      width: round(Math.max(1, step - 1)),
      messages: minute.messages / messages,
      clicks: clicksOf(minute) / clicks,
    })),
  };
}

const clicksOf = (minute: CurvePoint) => minute.opened + minute.carted;
const round = (value: number) => Math.round(value * 10) / 10;
