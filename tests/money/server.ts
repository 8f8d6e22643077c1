/** A server with payments, the fake Stripe beside it, and the host's way into a room. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import WebSocket from 'ws';
import { hostToken } from '../viewer/rooms';
import { startServer, type Program } from '../viewer/support';
import { FakeStripe, SECRET, WEBHOOK_SECRET } from './stripe';

export const KEY = 'a key for the tests of money';
export const ROOM = 'show';
type Json = Record<string, unknown>;

export class Business {
  private constructor(
    readonly folder: string,
    readonly stripe: FakeStripe,
    public program: Program,
    readonly http: string,
    readonly media: string,
  ) {}

  static arguments(folder: string, stripe: FakeStripe): string[] {
    return [
      ...['--database', join(folder, 'rooms.db'), '--token-key-env', 'MONEY_TOKEN_KEY'],
      ...['--stripe-secret-env', 'MONEY_STRIPE', '--stripe-webhook-secret-env', 'MONEY_WEBHOOK', '--stripe-url', stripe.url],
    ];
  }

  static async open(): Promise<Business> {
    process.env.MONEY_TOKEN_KEY = 'a key of tokens for the tests of money';
    process.env.MONEY_STRIPE = SECRET;
    process.env.MONEY_WEBHOOK = WEBHOOK_SECRET;
    const folder = mkdtempSync(join(tmpdir(), 'money-'));
    const stripe = await FakeStripe.start();
    const { program, http } = await startServer(KEY, this.arguments(folder, stripe));
    const media = (await program.line()).split(' udp ')[1]!.trim();
    stripe.webhook = `http://${http}/stripe/webhook`;
    return new Business(folder, stripe, program, http, media);
  }

  /** Killed, and started again on the same ports with the same books. */
  async crash(): Promise<void> {
    await this.program.kill();
    ({ program: this.program } = await startServer(KEY, Business.arguments(this.folder, this.stripe), this.http, this.media));
  }

  async close(): Promise<void> {
    await this.program.kill();
    await this.stripe.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async post(path: string, body?: unknown, token?: string): Promise<{ status: number; body: Json }> {
    const headers: Record<string, string> = {};
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    const answer = await fetch(`http://${this.http}${path}`, { method: 'POST', headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const text = await answer.text();
    return { status: answer.status, body: text.startsWith('{') ? (JSON.parse(text) as Json) : { text } };
  }

  tip(member: Member, minor: number, message?: string) {
    return this.post(`/api/rooms/${ROOM}/tips`, message === undefined ? { minor } : { minor, message }, member.token);
  }

  /** A ticket that somebody has paid: its code. */
  async ticket(): Promise<{ code: string; intent: string }> {
    const bought = await this.post(`/api/rooms/${ROOM}/tickets`);
    expect(bought.status, JSON.stringify(bought.body)).toBe(201);
    const session = this.stripe.pay(sessionOf(bought.body));
    expect(await this.stripe.say('checkout.session.completed', session)).toBe(204);
    return { code: String(bought.body.ticket), intent: session.payment_intent! };
  }

  openTicket(ticket: string, pass?: string) {
    return this.post(`/api/rooms/${ROOM}/tickets/open`, pass === undefined ? { ticket } : { ticket, pass });
  }
}

export const sessionOf = (bought: Json) => String(bought.url).split('/pay/')[1]!;

/** Somebody in a room's chat. */
export class Member {
  readonly events: Json[] = [];
  over: Json | undefined;
  welcome!: Json;
  #next = 1;
  #asked = new Map<number, (answer: Json) => void>();

  private constructor(readonly socket: WebSocket) {}

  get token(): string {
    return String((this.welcome.you as Json).token);
  }

  get money(): Json {
    return (this.welcome.snapshot as Json).money as Json;
  }

  static async host(business: Business): Promise<Member> {
    return Member.enter(business, { token: await hostToken(business.http, ROOM, KEY) });
  }

  static async enter(business: Business, hello: Json): Promise<Member> {
    const socket = new WebSocket(`ws://${business.http}/chat/${ROOM}`);
    const member = new Member(socket);
    await new Promise<void>((done, failed) => {
      socket.on('error', failed);
      socket.on('close', () => done());
      socket.on('open', () => socket.send(JSON.stringify({ type: 'hello', version: 1, ...hello })));
      socket.on('message', (data) => {
        const said = JSON.parse(String(data)) as Json;
        if (said.type === 'events') member.events.push(...(said.events as Json[]));
        if (said.type === 'refused' && said.id === undefined) member.over = said;
        if (typeof said.id === 'number') member.#asked.get(said.id)?.(said);
        if (said.type === 'welcome') {
          member.welcome = said;
          done();
        }
      });
    });
    return member;
  }

  ask(request: Json): Promise<Json> {
    const id = this.#next++;
    this.socket.send(JSON.stringify({ ...request, id }));
    return new Promise((done) => this.#asked.set(id, done));
  }

  act(what: Json): Promise<Json> {
    return this.ask({ type: 'moderate', act: { do: 'money', what } });
  }

  /** What happened about money. */
  paid(is: string): Json[] {
    return this.events.filter((event) => event.kind === 'money').map((event) => event.what as Json).filter((what) => what.is === is);
  }

  async revenue(): Promise<Json[]> {
    const answer = await this.ask({ type: 'money', question: { of: 'revenue' } });
    return (answer.answer as { shows: Json[] }).shows;
  }

  async sales(show = 1): Promise<Json[]> {
    const answer = await this.ask({ type: 'money', question: { of: 'sales', show } });
    return (answer.answer as { sales: Json[] }).sales;
  }

  leave(): void {
    this.socket.close();
  }
}
