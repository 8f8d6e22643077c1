/**
 * The connection to a room's chat as a pure state machine: greeting, numbered requests, coming back. No socket and no
 * clock of its own: it is told what happens and when, and says what to do.
 */
import type { Event, FromClient, Interest, Pulse, Refused, ToClient, Watching } from '../lib/protocol/chat';

/** Version of the messages; the server turns away a page of another one. */
export const PROTOCOL_VERSION = 1;

/** First wait before a lost connection is tried again, and the longest. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;
/** A server that says nothing for so long is taken for gone. */
const ANSWER_WITHIN_MS = 10_000;
/** Before a device whose ticket plays elsewhere tries again. */
const DEVICES_AGAIN_MS = 5000;

export type Welcome = Extract<ToClient, { type: 'welcome' }>;
export type Answered = Extract<ToClient, { type: 'done' | 'refused' | 'history' | 'log' | 'figures' | 'shows' | 'curve' | 'exported' | 'money' }>;
/** What becomes of a request. `lost`: the connection ended first, and nobody knows whether it was done. */
export type Answer = Answered | { type: 'lost' };
type WithoutId<T> = T extends { id: number } ? Omit<T, 'id'> : never;
/** A request, before it has a number. */
export type Request = WithoutId<FromClient>;

export type LinkState =
  | { is: 'idle' }
  | { is: 'connecting'; attempt: number; until: number }
  | { is: 'greeting'; attempt: number; until: number }
  | { is: 'open' }
  /** Before the next try; with a reason if the server gave one. */
  | { is: 'waiting'; attempt: number; until: number; why?: Refused }
  /** For good: a page of another version, or a token that holds no more. */
  | { is: 'turned_away'; why: Refused };

/** What to do next, in this order. */
export type Effect =
  | { do: 'open' }
  | { do: 'close' }
  | { do: 'send'; message: FromClient }
  | { do: 'forget_token' }
  | { do: 'welcome'; welcome: Welcome }
  | { do: 'events'; events: Event[] }
  | { do: 'interest'; products: Interest[] }
  | { do: 'watching'; watching: Watching }
  | { do: 'pulse'; pulse: Pulse }
  | { do: 'answer'; id: number; answer: Answer };

export interface LinkOptions {
  token?: string;
  name?: string;
  /** This device's pass, where watching needs a ticket. */
  pass?: string;
  /** A token that is refused is forgotten, and the page comes in as somebody new. Moderators would be nobody. */
  forgets: boolean;
  /** From 0 to 1. */
  random: () => number;
}

/** How long to wait before a try: twice as long each time up to a cap, and at random up to a half less. */
export function waitBefore(attempt: number, random: number): number {
  const full = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(attempt - 1, 10));
  return Math.round(full * (0.5 + random / 2));
}

export class ChatLink {
  state: LinkState = { is: 'idle' };
  /** The last event that was seen. */
  seq: number | undefined;
  #options: LinkOptions;
  #nextId = 1;
  #pending = new Map<number, number>();
  /** The pass that the last hello said. */
  #shown: string | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** When {@link wake} is to be called, if nothing happens before. */
  get wakeAt(): number | undefined {
    const { state } = this;
    if (state.is === 'connecting' || state.is === 'greeting' || state.is === 'waiting') return state.until;
    if (state.is === 'open' && this.#pending.size > 0) return Math.min(...this.#pending.values());
    return undefined;
  }

  /** Begins, or begins again at once: the network is back. */
  start(now: number): Effect[] {
    if (this.state.is !== 'idle' && this.state.is !== 'waiting') return [];
    return this.#connect(1, now);
  }

  /** The socket is open. */
  opened(now: number): Effect[] {
    if (this.state.is !== 'connecting') return [];
    this.state = { is: 'greeting', attempt: this.state.attempt, until: now + ANSWER_WITHIN_MS };
    const { token, name, pass } = this.#options;
    const message: FromClient = { type: 'hello', version: PROTOCOL_VERSION };
    if (token !== undefined) message.token = token;
    if (name !== undefined) message.name = name;
    if (pass !== undefined) message.pass = pass;
    this.#shown = pass;
    if (this.seq !== undefined) message.last_seq = this.seq;
    return [{ do: 'send', message }];
  }

  /** The server said something. */
  heard(message: ToClient, now: number): Effect[] {
    switch (message.type) {
      case 'welcome':
        return this.#welcomed(message);
      case 'events': {
        if (this.state.is !== 'open') return [];
        const events = this.#unseen(message.events);
        return events.length > 0 ? [{ do: 'events', events }] : [];
      }
      case 'interest':
        return this.state.is === 'open' ? [{ do: 'interest', products: message.products }] : [];
      case 'watching':
        return this.state.is === 'open' ? [{ do: 'watching', watching: message.watching }] : [];
      case 'pulse':
        return this.state.is === 'open' ? [{ do: 'pulse', pulse: message }] : [];
      case 'refused':
        if (message.id === undefined) return this.#turnedAway(message, now);
        return this.#answered(message.id, message);
      default:
        return this.#answered(message.id, message);
    }
  }

  /** The socket is closed, or could not be opened. */
  closed(now: number): Effect[] {
    const { state } = this;
    if (state.is === 'idle' || state.is === 'waiting' || state.is === 'turned_away') return [];
    const attempt = state.is === 'open' ? 1 : state.attempt + 1;
    this.state = { is: 'waiting', attempt, until: now + waitBefore(attempt, this.#options.random()) };
    return this.#lose();
  }

  /** Time has passed. */
  wake(now: number): Effect[] {
    const at = this.wakeAt;
    if (at === undefined || now < at) return [];
    if (this.state.is === 'waiting') return this.#connect(this.state.attempt, now);
    // A server that does not answer is left; whatever was asked is lost with it.
    return [{ do: 'close' }, ...this.closed(now)];
  }

  /** Asks for something; `undefined` while there is no connection. */
  ask(request: Request, now: number): { id: number; effects: Effect[] } | undefined {
    if (this.state.is !== 'open') return undefined;
    const id = this.#nextId++;
    this.#pending.set(id, now + ANSWER_WITHIN_MS);
    return { id, effects: [{ do: 'send', message: { ...request, id } as FromClient }] };
  }

  /** Who the page is from now on, for the next time it comes back. */
  identify(token: string): void {
    this.#options.token = token;
  }

  /** With this ticket, from now on; whoever was turned away for want of one comes back at once. */
  admit(pass: string, now: number): Effect[] {
    this.#options.pass = pass;
    const { state } = this;
    const waits = state.is === 'turned_away' && state.why.code === 'ticket';
    return waits || state.is === 'waiting' ? this.#connect(1, now) : [];
  }

  #connect(attempt: number, now: number): Effect[] {
    this.state = { is: 'connecting', attempt, until: now + ANSWER_WITHIN_MS };
    return [{ do: 'open' }];
  }

  #welcomed(welcome: Welcome): Effect[] {
    if (this.state.is !== 'greeting') return [];
    this.state = { is: 'open' };
    this.#options.token = welcome.you.token;
    // With a snapshot everything begins anew, also when the server's numbers do.
    const events = welcome.snapshot ? [] : this.#unseen(welcome.events);
    this.seq = welcome.seq;
    return [{ do: 'welcome', welcome: { ...welcome, events } }];
  }

  /** Each number once, in order. */
  #unseen(events: Event[]): Event[] {
    return events.filter((event) => {
      if (this.seq !== undefined && event.seq <= this.seq) return false;
      this.seq = event.seq;
      return true;
    });
  }

  #answered(id: number, answer: Answered): Effect[] {
    return this.#pending.delete(id) ? [{ do: 'answer', id, answer }] : [];
  }

  #turnedAway(why: Refused, now: number): Effect[] {
    const { token, forgets } = this.#options;
    if (why.code === 'token' && forgets && token !== undefined) {
      this.#options.token = undefined;
      return [{ do: 'forget_token' }, { do: 'close' }, ...this.closed(now)];
    }
    // A pass that came after the hello was not looked at.
    if (why.code === 'ticket' && this.#options.pass !== this.#shown) return [{ do: 'close' }, ...this.closed(now)];
    if (why.code === 'token' || why.code === 'version' || why.code === 'ticket') {
      this.state = { is: 'turned_away', why };
      return [{ do: 'close' }, ...this.#lose()];
    }
    if (why.code === 'crowded' || why.code === 'devices') {
      const afterMs = why.code === 'crowded' ? why.retry_after_ms : DEVICES_AGAIN_MS;
      const lost = this.closed(now);
      if (this.state.is === 'waiting') {
        // At random up to a half later: all the pages of one network were told the same.
        const told = now + Math.round(afterMs * (1 + this.#options.random() / 2));
        this.state = { ...this.state, until: Math.max(this.state.until, told), why };
      }
      return [{ do: 'close' }, ...lost];
    }
    // Anything else passes: the server closes, or it was about a message that no page of ours sends.
    return this.state.is === 'open' ? [] : [{ do: 'close' }, ...this.closed(now)];
  }

  #lose(): Effect[] {
    const lost = [...this.#pending.keys()];
    this.#pending.clear();
    return lost.map((id) => ({ do: 'answer', id, answer: { type: 'lost' } }));
  }
}
