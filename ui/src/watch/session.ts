/** One WHEP session (draft-ietf-wish-whep-03): offer, answer, counters, end. */

import type { Progress } from './stall';

/** What stands between the page and the picture. */
export type Refusal =
  | { kind: 'not-live' }
  | { kind: 'full'; retryMs: number }
  /** Watching needs a ticket that holds. */
  | { kind: 'ticket' }
  /** The ticket plays on as many devices as it may. */
  | { kind: 'devices'; most: number; retryMs: number }
  | { kind: 'unreachable' };

/** What the browser counts, and how far behind it shows. */
export interface Counters extends Progress {
  /** Milliseconds from the server to the screen, once the browser has measured it. */
  delayMs?: number;
}

/** Chromium decodes Opus in mono unless its own offer says stereo; the others do not mind. */
function wantStereo(sdp: string): string {
  const opus = /^a=rtpmap:(\d+) opus\/48000/im.exec(sdp)?.[1];
  if (!opus) return sdp;
  const line = new RegExp(`^(a=fmtp:${opus} (?!.*stereo=).*?)(\\r?)$`, 'm');
  return sdp.replace(line, '$1;stereo=1$2');
}

export class Session {
  private readonly pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  private readonly url: string;
  private location: string | undefined;
  private closed = false;
  private last = { emitted: 0, buffered: 0, decoded: 0, decodeTime: 0 };

  constructor(
    room: string,
    onStream: (stream: MediaStream) => void,
    private readonly onLost: () => void,
    private readonly pass?: string,
  ) {
    this.url = `/whep/${encodeURIComponent(room)}`;
    this.pc.addEventListener('track', ({ track, streams }) => {
      onStream(streams[0] ?? new MediaStream([track]));
    });
    this.pc.addEventListener('connectionstatechange', () => {
      if (this.pc.connectionState === 'failed' || this.pc.connectionState === 'closed') this.lose();
    });
  }

  /** Connects; nothing on success. */
  async open(): Promise<Refusal | undefined> {
    this.pc.addTransceiver('video', { direction: 'recvonly' });
    this.pc.addTransceiver('audio', { direction: 'recvonly' });
    const offer = await this.pc.createOffer();
    const sdp = wantStereo(offer.sdp ?? '');
    // POSTed before candidates are gathered: the server has its own, and finds this browser by its checks.
    const [response] = await Promise.all([
      fetch(this.url, { method: 'POST', headers: this.headers(), body: sdp }).catch(
        () => undefined,
      ),
      this.pc.setLocalDescription({ type: 'offer', sdp }),
    ]);
    if (!response) return { kind: 'unreachable' };
    if (response.status !== 201) return refusal(response);
    const location = response.headers.get('Location');
    if (location) this.location = new URL(location, new URL(this.url, window.location.href)).href;
    const answer = await response.text().catch(() => undefined);
    if (answer === undefined) return { kind: 'unreachable' };
    if (this.closed) {
      this.hangUp();
      return undefined;
    }
    await this.pc.setRemoteDescription({ type: 'answer', sdp: answer });
    return undefined;
  }

  private headers(): Record<string, string> {
    const headers: Record<string, string> = { 'Content-Type': 'application/sdp' };
    if (this.pass !== undefined) headers.Authorization = `Bearer ${this.pass}`;
    return headers;
  }

  async counters(): Promise<Counters> {
    const counters: Counters = { bytes: 0, videoBytes: 0, frames: 0 };
    let roundTripMs = 0;
    let heldMs: number | undefined;
    for (const report of (await this.pc.getStats()).values()) {
      if (report.type === 'inbound-rtp') counters.bytes += report.bytesReceived ?? 0;
      if (report.type === 'inbound-rtp' && report.kind === 'video') {
        counters.videoBytes = report.bytesReceived ?? 0;
        counters.frames = report.framesDecoded ?? 0;
        heldMs = this.heldMs(report);
      }
      if (report.type === 'candidate-pair' && report.nominated) {
        roundTripMs = (report.currentRoundTripTime ?? 0) * 1000;
      }
    }
    // Half the round trip, the time in the browser's buffer and decoder, and one frame until it is on screen.
    if (heldMs !== undefined) counters.delayMs = roundTripMs / 2 + heldMs + 1000 / 60;
    return counters;
  }

  /** How long the browser held a picture since the last look, on average. */
  private heldMs(report: Record<string, number | undefined>): number | undefined {
    const now = {
      emitted: report.jitterBufferEmittedCount ?? 0,
      buffered: report.jitterBufferDelay ?? 0,
      decoded: report.framesDecoded ?? 0,
      decodeTime: report.totalDecodeTime ?? 0,
    };
    const before = this.last;
    this.last = now;
    if (now.emitted <= before.emitted || now.decoded <= before.decoded) return undefined;
    const buffered = (now.buffered - before.buffered) / (now.emitted - before.emitted);
    const decoding = (now.decodeTime - before.decodeTime) / (now.decoded - before.decoded);
    return (buffered + decoding) * 1000;
  }

  /** Ends the session and tells the server, also while the page is being closed; unless it was the server's wish. */
  close(tell = true): void {
    if (this.closed) return;
    this.closed = true;
    this.pc.close();
    if (tell) this.hangUp();
  }

  private hangUp(): void {
    if (!this.location) return;
    fetch(this.location, { method: 'DELETE', keepalive: true }).catch(() => {
      // The server notices by itself within 15 s.
    });
    this.location = undefined;
  }

  private lose(): void {
    if (!this.closed) this.onLost();
  }
}

async function refusal(response: Response): Promise<Refusal> {
  const seconds = Number(response.headers.get('Retry-After'));
  if (response.status === 402) return { kind: 'ticket' };
  if (response.status === 403) {
    const body = (await response.json().catch(() => ({}))) as { code?: unknown; most?: unknown };
    if (body.code !== 'devices') return { kind: 'ticket' };
    return { kind: 'devices', most: Number(body.most) || 1, retryMs: (seconds > 0 ? seconds : 5) * 1000 };
  }
  if (response.status === 409) return { kind: 'not-live' };
  if (response.status === 503) return { kind: 'full', retryMs: (seconds > 0 ? seconds : 5) * 1000 };
  return { kind: 'unreachable' };
}
