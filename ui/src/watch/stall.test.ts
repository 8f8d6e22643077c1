import { describe, expect, it } from 'vitest';
import { Stall, backoff } from './stall';

describe('a session', () => {
  it('lives while packets and pictures come', () => {
    const stall = new Stall(0);
    for (let at = 0; at < 60_000; at += 500) {
      expect(stall.dead({ bytes: at + 1, videoBytes: at + 1, frames: at + 1 }, true, at)).toBe(false);
    }
  });

  it('is dead after two seconds without a packet', () => {
    const stall = new Stall(0);
    stall.dead({ bytes: 10, videoBytes: 10, frames: 10 }, true, 0);
    expect(stall.dead({ bytes: 10, videoBytes: 10, frames: 10 }, true, 1900)).toBe(false);
    expect(stall.dead({ bytes: 10, videoBytes: 10, frames: 10 }, true, 2000)).toBe(true);
  });

  it('is dead after four seconds of packets without a picture, but not while hidden', () => {
    const blind = new Stall(0);
    const hidden = new Stall(0);
    for (let at = 0; at < 4000; at += 500) {
      expect(blind.dead({ bytes: at + 1, videoBytes: at + 1, frames: 0 }, true, at)).toBe(false);
      expect(hidden.dead({ bytes: at + 1, videoBytes: at + 1, frames: 0 }, false, at)).toBe(false);
    }
    expect(blind.dead({ bytes: 9999, videoBytes: 9999, frames: 0 }, true, 4000)).toBe(true);
    expect(hidden.dead({ bytes: 9999, videoBytes: 9999, frames: 0 }, false, 4000)).toBe(false);
  });

  it('lives on sound alone', () => {
    const stall = new Stall(0);
    for (let at = 0; at < 60_000; at += 500) {
      expect(stall.dead({ bytes: at + 1, videoBytes: 0, frames: 0 }, true, at)).toBe(false);
    }
  });

  it('is forgiven what happened while the room was not live', () => {
    const stall = new Stall(0);
    stall.forgive(60_000);
    expect(stall.dead({ bytes: 0, videoBytes: 0, frames: 0 }, true, 61_000)).toBe(false);
  });
});

describe('the wait before the next try', () => {
  it('doubles up to three seconds and is spread by half', () => {
    expect(backoff(0, 0)).toBe(125);
    expect(backoff(0, 1)).toBe(250);
    expect(backoff(3, 1)).toBe(2000);
    expect(backoff(50, 1)).toBe(3000);
    expect(backoff(50, 0)).toBe(1500);
  });
});
