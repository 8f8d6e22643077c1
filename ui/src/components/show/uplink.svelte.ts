/** What leaves the laptop: one number a second, kept for three minutes. */
import type { Destination, Output } from '$lib/protocol';

const KEPT = 180;

/** The sum of what goes over the network; a recording stays on the disk. `undefined` while nothing is measured. */
export function uplink(outputs: Output[], destinations: Destination[]): number | undefined {
  const local = new Set(destinations.filter((d) => d.kind.kind === 'recording').map((d) => d.id));
  const rates = outputs.flatMap((output) =>
    local.has(output.id) || output.sent_kbps === null ? [] : [output.sent_kbps],
  );
  return rates.length === 0 ? undefined : rates.reduce((sum, rate) => sum + rate, 0);
}

/** A line through the samples, in a field of `width` × `height`, and the area below it. */
export function sparkline(samples: number[], width: number, height: number): { line: string; area: string } | undefined {
  if (samples.length < 2) return undefined;
  const most = Math.max(...samples, 1) * 1.25;
  const step = width / (KEPT / 3 - 1);
  const shown = samples.slice(-KEPT / 3);
  const left = width - step * (shown.length - 1);
  const line = shown
    .map((rate, i) => `${i === 0 ? 'M' : 'L'}${(left + i * step).toFixed(1)} ${(height - (rate / most) * height).toFixed(1)}`)
    .join('');
  return { line, area: `${line}L${width} ${height}L${left.toFixed(1)} ${height}Z` };
}

export class UplinkHistory {
  samples = $state.raw<number[]>([]);

  take(rate: number) {
    this.samples = [...this.samples, rate].slice(-KEPT);
  }
}
