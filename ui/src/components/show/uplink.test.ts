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
  const points = [...sparkline([1, 2, 3], 84, 24).matchAll(/(-?[\d.]+) (-?[\d.]+)/g)].map((p) => [Number(p[1]), Number(p[2])]);
  expect(points.at(-1)?.[0]).toBeCloseTo(84);
  for (const [x, y] of points) {
    expect(x).toBeGreaterThanOrEqual(0);
    expect(y).toBeGreaterThanOrEqual(0);
    expect(y).toBeLessThanOrEqual(24);
  }
  expect(sparkline([1], 84, 24)).toBe('');
});
