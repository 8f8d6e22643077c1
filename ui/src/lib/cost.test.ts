import { expect, it } from 'vitest';
import { costOf, plannedOf } from './cost';

it('says hardware of hardware alone', () => {
  expect(costOf({ hardware: true, cost_percent: null })).toContain('hardware');
  for (const cost_percent of [null, 42]) expect(costOf({ hardware: false, cost_percent })).not.toContain('hardware');
  expect(costOf({ hardware: false, cost_percent: 42 })).toContain('42 %');
});

it('says so when software was not measured yet', () => {
  expect(costOf({ hardware: false, cost_percent: null })).toContain('not measured');
  expect(plannedOf({ name: 'OpenH264', hardware: false, cost_percent: null })).toMatch(/OpenH264.*not measured/);
  expect(plannedOf({ name: 'NVIDIA NVENC', hardware: true, cost_percent: null })).not.toContain('measured');
});
