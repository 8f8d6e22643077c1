/** What the tests of other clients share: an app that speaks Socket.IO, and a viewer who speaks the room's own WebSocket. */
import { expect } from '@playwright/test';
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import WebSocket from 'ws';

export const SOON = 10_000;

export type Said = Record<string, unknown> & { type: string; code?: string; seq?: number };
type Event = { seq: number; kind: string; message?: { seq: number; text: string }; messages?: number[] };
type Welcome = Said & {
  seq: number;
  you: { id: string; name: string; role: string; token: string };
  snapshot?: { messages: { seq: number; text: string }[] };
  events: Event[];
};

/** Waits for a condition, ten seconds at most. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  await expect.poll(condition, { message: what, timeout: SOON, intervals: [10, 20, 50] }).toBe(true);
}

export interface Who {
  room?: string;
  name?: string;
  token?: string;
}

/** What somebody knows of a room, put together from welcomes and events as an app does it. */
class Knowledge {
  welcome: Welcome | undefined;
  welcomes = 0;
  lastSeq: number | undefined;
  /** Every event, by kind. */
  readonly events: Event[] = [];
  /** The messages that are there, by number. */
  readonly messages = new Map<number, string>();
  /** Numbers of events that came twice. */
  readonly twice: number[] = [];

  enter(welcome: Welcome): void {
    this.welcome = welcome;
    this.welcomes++;
    if (welcome.snapshot) {
      this.messages.clear();
      for (const { seq, text } of welcome.snapshot.messages) this.messages.set(seq, text);
    }
    this.learn(welcome.events);
    this.lastSeq = welcome.seq;
  }

  learn(events: Event[]): void {
    for (const event of events) {
      if (this.events.some((other) => other.seq === event.seq)) this.twice.push(event.seq);
      this.events.push(event);
      if (event.kind === 'said' && event.message) this.messages.set(event.message.seq, event.message.text);
      for (const gone of event.kind === 'deleted' ? (event.messages ?? []) : []) this.messages.delete(gone);
      this.lastSeq = event.seq;
    }
  }

  texts(): string[] {
    return [...this.messages.entries()].sort(([a], [b]) => a - b).map(([, text]) => text);
  }

  hears(text: string): Promise<void> {
    return until(`hears “${text}”`, () => this.texts().includes(text));
  }
}

/** An app with socket.io-client: says hello whenever it is connected, and comes back when it is told to. */
export class App extends Knowledge {
  /** What the server said before it ended a connection. */
  readonly closings: { again: boolean; reason: string }[] = [];
  /** What it was refused without having asked. */
  readonly refused: Said[] = [];
  /** Why connections ended, as the library says it. */
  readonly ends: string[] = [];
  /** Why there was none. */
  readonly failures: string[] = [];

  private constructor(readonly socket: Socket) {
    super();
  }

  /** Opens a connection and says nothing. */
  static open(http: string, options: Partial<ManagerOptions & SocketOptions> = {}): App {
    const app = new App(io(`http://${http}`, { forceNew: true, reconnectionDelay: 100, reconnectionDelayMax: 500, ...options }));
    const { socket } = app;
    socket.on('events', ({ events }: { events: Event[] }) => app.learn(events));
    socket.on('refused', (refused: Said) => app.refused.push(refused));
    socket.on('closing', (closing: { again: boolean; reason: string }) => app.closings.push(closing));
    socket.on('connect_error', (error) => app.failures.push(error.message));
    socket.on('disconnect', (reason) => {
      app.ends.push(reason);
      if (reason === 'io server disconnect' && app.closings.at(-1)?.again) socket.connect();
    });
    return app;
  }

  /** Enters a room. */
  static async enter(http: string, who: Who = {}, options: Partial<ManagerOptions & SocketOptions> = {}): Promise<App> {
    const app = App.open(http, options);
    app.socket.on('connect', () => {
      const token = app.welcome?.you.token ?? who.token;
      void app.hello({ ...who, ...(token && { token }), ...(app.lastSeq !== undefined && { last_seq: app.lastSeq }) });
    });
    await until('is welcome', () => app.welcome !== undefined);
    return app;
  }

  async hello(fields: Record<string, unknown>): Promise<Said> {
    const answer = await this.ask('hello', { version: 1, room: 'show', ...fields });
    if (answer.type === 'welcome') this.enter(answer as Welcome);
    return answer;
  }

  ask(event: string, body?: unknown): Promise<Said> {
    return this.socket.timeout(SOON).emitWithAck(event, ...(body === undefined ? [] : [body])) as Promise<Said>;
  }

  /** Says it, and returns its number. */
  async say(text: string, more: Record<string, unknown> = {}): Promise<number> {
    const answer = await this.ask('say', { text, ...more });
    expect(answer, text).toMatchObject({ type: 'done', result: 'said' });
    return answer.seq!;
  }

  act(act: Record<string, unknown>): Promise<Said> {
    return this.ask('moderate', { act });
  }

  get transport(): string {
    return this.socket.io.engine.transport.name;
  }

  leave(): void {
    this.socket.disconnect();
  }
}

/** A viewer as the page is: the room's own WebSocket. */
export class Viewer extends Knowledge {
  #next = 1;
  readonly #asked = new Map<number, (answer: Said) => void>();

  private constructor(private readonly socket: WebSocket) {
    super();
  }

  static async enter(http: string, who: Who = {}): Promise<Viewer> {
    const { room = 'show', ...hello } = who;
    const socket = new WebSocket(`ws://${http}/chat/${room}`);
    const viewer = new Viewer(socket);
    socket.on('open', () => socket.send(JSON.stringify({ type: 'hello', version: 1, ...hello })));
    socket.on('message', (data) => {
      const said = JSON.parse(String(data)) as Said & { id?: number; events?: Event[] };
      if (said.type === 'welcome') viewer.enter(said as Welcome);
      if (said.type === 'events') viewer.learn(said.events!);
      if (said.id !== undefined) viewer.#asked.get(said.id)?.(said);
    });
    await until('is welcome', () => viewer.welcome !== undefined);
    return viewer;
  }

  ask(request: Record<string, unknown>): Promise<Said> {
    const id = this.#next++;
    return new Promise((done) => {
      this.#asked.set(id, done);
      this.socket.send(JSON.stringify({ ...request, id }));
    });
  }

  async say(text: string): Promise<number> {
    const answer = await this.ask({ type: 'say', text });
    expect(answer, text).toMatchObject({ type: 'done', result: 'said' });
    return answer.seq!;
  }

  leave(): void {
    this.socket.close();
  }
}
