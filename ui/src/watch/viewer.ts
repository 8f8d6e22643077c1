/** The life of a viewer: connects when the room is live, notices a dead session, comes back, lets go at the end. */
import type { Room } from './room';
import { Session, type Refusal } from './session';
import { Stall, backoff } from './stall';

/** What is shown over the picture. */
export type Scene = 'connecting' | 'starting' | 'live' | 'waiting' | 'reconnecting' | 'ended' | 'full' | 'ticket' | 'devices' | 'unsupported';

export interface View {
  scene: Scene;
  delayMs?: number;
  /** On how many devices the ticket may play. */
  devices?: number;
}

/** How often the counters are looked at. */
const LOOK_MS = 500;
/** Sound that comes alone for so long will not be followed by a picture at once. */
const SOUND_ONLY_MS = 2500;
/** A pause longer than this gives the place back; play makes a new connection. */
const PAUSED_MS = 30_000;

export class Viewer {
  private session: Session | undefined;
  private stall = new Stall(0);
  private openedAt = 0;
  private room: Room | undefined;
  private attempt = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private pause: ReturnType<typeof setTimeout> | undefined;
  private paused = false;
  /** A picture of this room has been shown. */
  private seen = false;
  /** The session at hand shows a picture. */
  private showing = false;
  private full = false;
  /** Why the door is shut: no ticket, or too many devices. */
  private shut: 'ticket' | 'devices' | undefined;
  private devices: number | undefined;
  private reached = false;
  private delayMs: number | undefined;
  /** Sessions that were opened so far, for tests and support. */
  sessions = 0;

  constructor(
    private readonly name: string,
    private readonly onStream: (stream: MediaStream) => void,
    private readonly onView: (view: View) => void,
    private pass?: string,
  ) {
    setInterval(() => void this.look(), LOOK_MS);
  }

  /** Tries at once, before the room's state is known: that saves a round trip when it is live. */
  start(): void {
    this.connect();
  }

  /** With this ticket, from now on. */
  admit(pass: string | undefined): void {
    if (this.pass === pass && this.shut !== 'ticket') return;
    this.pass = pass;
    this.shut = undefined;
    this.attempt = 0;
    if (!this.paused) this.connect();
    this.show();
  }

  /** Watching needs a ticket from now on, as the chat says. */
  needTicket(): void {
    if (this.shut === 'ticket') return;
    this.leave();
    this.shut = 'ticket';
    this.show();
  }

  /** The server answers again: whatever was waited for may be tried at once. */
  onReached(): void {
    this.reached = true;
  }

  onRoom(room: Room): void {
    const before = this.room?.state;
    this.room = room;
    if (room.state === 'ended' && before !== 'ended') this.leave(false);
    if (room.state === 'ended') this.seen = false;
    if (room.state === 'live' && (before !== 'live' || this.reached)) {
      this.stall.forgive(performance.now());
      this.attempt = 0;
      if (!this.session && !this.paused && this.shut !== 'ticket') this.connect();
    }
    this.reached = false;
    this.show();
  }

  /** The browser has put a picture on the screen. */
  onPicture(): void {
    this.seen = true;
    this.showing = true;
    this.full = false;
    this.attempt = 0;
    this.show();
  }

  setPaused(paused: boolean): void {
    this.paused = paused;
    clearTimeout(this.pause);
    if (paused) this.pause = setTimeout(() => this.leave(), PAUSED_MS);
    else if (!this.session && this.shut !== 'ticket') this.connect();
  }

  /** Gives the place back. At the end of the show the server has taken it already. */
  leave(tell = true): void {
    clearTimeout(this.retry);
    this.session?.close(tell);
    this.session = undefined;
    this.showing = false;
    this.delayMs = undefined;
  }

  async counters() {
    return this.session?.counters();
  }

  private connect(): void {
    this.leave();
    if (this.room && this.room.state !== 'live') return;
    this.sessions += 1;
    const session = new Session(this.name, this.onStream, () => this.lost(session), this.pass);
    this.session = session;
    this.openedAt = performance.now();
    this.stall = new Stall(this.openedAt);
    session.open().then(
      (refusal) => {
        if (this.session === session) this.onOpened(refusal);
      },
      (error: unknown) => {
        console.warn('the session could not be opened', error);
        this.lost(session);
      },
    );
  }

  private onOpened(refusal: Refusal | undefined): void {
    this.shut = refusal?.kind === 'ticket' || refusal?.kind === 'devices' ? refusal.kind : undefined;
    if (!refusal) return this.show();
    this.full = refusal.kind === 'full';
    this.devices = refusal.kind === 'devices' ? refusal.most : undefined;
    if (refusal.kind === 'ticket') {
      // Nothing is tried until there is one.
      this.leave();
    } else if (refusal.kind === 'not-live') {
      // The room's events say when it begins; a wrong "live" is asked again.
      this.leave();
      if (this.room?.state === 'live') this.again(backoff(this.attempt++, Math.random()));
    } else {
      const wait = backoff(this.attempt++, Math.random());
      this.leave();
      this.again(refusal.kind === 'full' || refusal.kind === 'devices' ? Math.max(refusal.retryMs * (0.5 + Math.random()), wait) : wait);
    }
    this.show();
  }

  private lost(session: Session): void {
    if (this.session !== session) return;
    this.leave();
    this.again(backoff(this.attempt++, Math.random()));
    this.show();
  }

  private again(ms: number): void {
    clearTimeout(this.retry);
    this.retry = setTimeout(() => {
      if (!this.paused) this.connect();
    }, ms);
  }

  private async look(): Promise<void> {
    const session = this.session;
    if (!session) return;
    const counters = await session.counters();
    if (this.session !== session) return;
    this.delayMs = counters.delayMs ?? this.delayMs;
    const now = performance.now();
    // A show without a picture is a show.
    if (!this.showing && counters.bytes > 0 && counters.videoBytes === 0 && now - this.openedAt > SOUND_ONLY_MS) {
      this.onPicture();
    }
    const expected = this.room === undefined || this.room.state === 'live';
    // Without a publisher nothing comes, and the session is sound all the same.
    if (!expected) this.stall.forgive(now);
    else if (this.stall.dead(counters, document.visibilityState === 'visible' && !this.paused, now)) {
      this.lost(session);
    }
    this.show();
  }

  private scene(): Scene {
    const state = this.room?.state;
    if (this.shut === 'ticket') return 'ticket';
    if (state === 'ended') return 'ended';
    if (this.shut === 'devices') return 'devices';
    if (this.full) return 'full';
    if (state === 'starting_soon') return this.seen ? 'waiting' : 'starting';
    if (this.showing) return 'live';
    return this.seen ? 'reconnecting' : 'connecting';
  }

  private show(): void {
    const view: View = { scene: this.scene() };
    if (this.delayMs !== undefined) view.delayMs = this.delayMs;
    if (this.devices !== undefined) view.devices = this.devices;
    this.onView(view);
  }
}
