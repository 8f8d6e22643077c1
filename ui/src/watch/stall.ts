/** When a session is dead, and how long to wait before the next one. Pure, so that it is tested without a browser. */

/** What the browser has received and decoded so far. */
export interface Progress {
  bytes: number;
  /** Of these, the picture's. */
  videoBytes: number;
  frames: number;
}

/** Nothing has arrived for so long: the server or the network is gone. Browsers themselves notice after 5 to 16 s. */
const SILENT_MS = 2000;
/** Packets arrive, but no picture comes of them: the decoder waits for a keyframe that was asked for meanwhile. */
const BLIND_MS = 4000;

/** Watches the counters of one session. */
export class Stall {
  private bytesAt: number;
  private framesAt: number;
  private last: Progress = { bytes: 0, videoBytes: 0, frames: 0 };

  constructor(now: number) {
    this.bytesAt = now;
    this.framesAt = now;
  }

  /**
   * Takes the counters; true when the session is dead. A hidden page decodes nothing, and a show may be sound
   * only: neither is a fault.
   */
  dead(progress: Progress, visible: boolean, now: number): boolean {
    if (progress.bytes > this.last.bytes) this.bytesAt = now;
    const toDecode = progress.videoBytes > this.last.videoBytes;
    if (progress.frames > this.last.frames || !toDecode || !visible) this.framesAt = now;
    this.last = progress;
    return now - this.bytesAt >= SILENT_MS || now - this.framesAt >= BLIND_MS;
  }

  /** Begins to count anew: the room was not live in between. */
  forgive(now: number): void {
    this.bytesAt = now;
    this.framesAt = now;
  }
}

const FIRST_MS = 250;
const LONGEST_MS = 3000;

/**
 * Milliseconds before try number `attempt` (from 0): doubling up to 3 s, and between half and all of it by
 * `chance` (0 to 1), so that a thousand viewers do not come back at the same moment.
 */
export function backoff(attempt: number, chance: number): number {
  const whole = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
  return whole / 2 + (whole / 2) * chance;
}
