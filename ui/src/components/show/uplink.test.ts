import { expect, it } from 'vitest';
import type { Destination, Output } from '$lib/protocol';
import { sparkline, uplink } from './uplink.svelte';

const output = (id: string, sent_kbps: number | null) => ({ id, sent_kbps }) as Output;
const destinations = [
  { id: 'disk', kind: { kind: 'recording' } },
  { id: 'a', kind: { kind: 'rtmp' } },
  { id: 'b', kind: { kind: 'stream_core' } },
] as Destination[];

it('adds up what leaves the laptop, without the disk', () => {
  expect(uplink([output('disk', 3000), output('a', 2500), output('b', 500)], destinations)).toBe(3000);
});

it('says nothing rather than 0 when nothing is measured', () => {
  expect(uplink([output('disk', 3000), output('a', null)], destinations)).toBeUndefined();
});

it('ends at the right edge and stays in its field', () => {
  const drawn = sparkline([1, 2, 3], 84, 24);
  const points = [...(drawn?.line ?? '').matchAll(/(-?[\d.]+) (-?[\d.]+)/g)].map((p) => [Number(p[1]), Number(p[2])]);
  expect(points.at(-1)?.[0]).toBeCloseTo(84);
  for (const [x, y] of points) {
    expect(x).toBeGreaterThanOrEqual(0);
    expect(y).toBeGreaterThanOrEqual(0);
    expect(y).toBeLessThanOrEqual(24);
  }
  expect(sparkline([1], 84, 24)).toBeUndefined();
  // A show of a few seconds has no past: nothing is drawn at the left.
  const left = Math.min(...[...(drawn?.area ?? '').matchAll(/[ML](-?[\d.]+) /g)].map((p) => Number(p[1])));
  expect(left).toBeCloseTo(points[0]?.[0] ?? 0);
  expect(left).toBeGreaterThan(70);
});
