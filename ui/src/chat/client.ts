/** The chat's connection in a browser: gives {@link ChatLink} its socket, its clock and its promises. */
import type { Event, Interest, Pulse, ToClient, Watching } from '../lib/protocol/chat';
import { ChatLink, type Answer, type Effect, type LinkOptions, type LinkState, type Request, type Welcome } from './link';

/** Where to connect, and what to show there. */
export interface Door {
  url: string;
  token: string;
}

export interface ClientOptions extends Omit<LinkOptions, 'random'> {
  room: string;
  /** Asked anew before every connection; without it, the room of this page's own server. */
  door?: () => Promise<Door>;
  onWelcome(welcome: Welcome): void;
  onEvents(events: Event[]): void;
  onInterest?(products: Interest[]): void;
  onWatching?(watching: Watching): void;
  onPulse?(pulse: Pulse): void;
  onState(state: LinkState): void;
  onForget?(): void;
}

/** The chat's WebSocket of a room of this page's server. */
export function chatUrl(at: Pick<Location, 'protocol' | 'host'>, room: string): string {
  return `${at.protocol === 'https:' ? 'wss' : 'ws'}://${at.host}/chat/${encodeURIComponent(room)}`;
}

export class ChatClient {
  #link: ChatLink;
  #options: ClientOptions;
  #socket: WebSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked = new Map<number, (answer: Answer) => void>();
  #listening = new AbortController();

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#link = new ChatLink({ ...options, random: Math.random });
    const { signal } = this.#listening;
    addEventListener('online', () => this.start(), { signal });
    const shown = (event: PageTransitionEvent) => {
      // Taken out of the browser's cache: the socket did not survive it.
      if (event.persisted) this.#gone();
    };
    addEventListener('pageshow', shown, { signal });
  }

  start(): void {
    this.#act(this.#link.start(Date.now()));
  }

  /** For good: the page shows another room. */
  stop(): void {
    this.#listening.abort();
    clearTimeout(this.#timer);
    this.#drop();
    for (const answer of this.#asked.values()) answer({ type: 'lost' });
    this.#asked.clear();
  }

  /** Asks, and waits for the answer; `lost` when there is no connection or it ends before. */
  ask(request: Request): Promise<Answer> {
    const asked = this.#link.ask(request, Date.now());
    if (!asked) return Promise.resolve({ type: 'lost' });
    return new Promise((resolve) => {
      this.#asked.set(asked.id, resolve);
      this.#act(asked.effects);
    });
  }

  /** With this ticket, from now on. */
  admit(pass: string): void {
    this.#act(this.#link.admit(pass, Date.now()));
  }

  identify(token: string): void {
    this.#link.identify(token);
  }

  #act(effects: Effect[]): void {
    for (const effect of effects) this.#do(effect);
    this.#options.onState(this.#link.state);
    clearTimeout(this.#timer);
    const at = this.#link.wakeAt;
    if (at !== undefined) {
      this.#timer = setTimeout(() => this.#act(this.#link.wake(Date.now())), Math.max(0, at - Date.now()));
    }
  }

  #do(effect: Effect): void {
    switch (effect.do) {
      case 'open':
        return this.#open();
      case 'close':
        return this.#drop();
      case 'send':
        return this.#socket?.send(JSON.stringify(effect.message));
      case 'forget_token':
        return this.#options.onForget?.();
      case 'welcome':
        return this.#options.onWelcome(effect.welcome);
      case 'events':
        return this.#options.onEvents(effect.events);
      case 'interest':
        return this.#options.onInterest?.(effect.products);
      case 'watching':
        return this.#options.onWatching?.(effect.watching);
      case 'pulse':
        return this.#options.onPulse?.(effect.pulse);
      case 'answer':
        this.#asked.get(effect.id)?.(effect.answer);
        this.#asked.delete(effect.id);
    }
  }

  #open(): void {
    this.#drop();
    const { door, room } = this.#options;
    if (!door) return this.#dial(chatUrl(location, room));
    const still = () => this.#link.state.is === 'connecting' && !this.#socket && !this.#listening.signal.aborted;
    door().then(
      ({ url, token }) => {
        if (!still()) return;
        this.#link.identify(token);
        this.#dial(url);
      },
      () => still() && this.#gone(),
    );
  }

  #dial(url: string): void {
    let socket: WebSocket;
    try {
      socket = new WebSocket(url);
    } catch {
      // Forbidden by a policy or an extension: as good as a server that is not there.
      queueMicrotask(() => this.#gone());
      return;
    }
    this.#socket = socket;
    socket.onopen = () => this.#act(this.#link.opened(Date.now()));
    socket.onclose = () => {
      if (this.#socket === socket) this.#gone();
    };
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      const message = typeof data === 'string' ? read(data) : undefined;
      if (message && this.#socket === socket) this.#act(this.#link.heard(message, Date.now()));
    };
  }

  #gone(): void {
    this.#drop();
    this.#act(this.#link.closed(Date.now()));
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }
}

function read(text: string): ToClient | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && 'type' in value ? (value as ToClient) : undefined;
  } catch {
    return undefined;
  }
}
