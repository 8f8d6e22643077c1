/**
 * Stripe, as far as its published shapes go (npm stripe's types, docs.stripe.com/api): strict about the key, the form, the
 * parameters and the keys of idempotency, with a page to pay on, and webhooks signed by Stripe's own package. It can be told
 * to fail.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Stripe from 'stripe';

export const SECRET = 'sk_test_canary51Streamcore';
export const WEBHOOK_SECRET = 'whsec_canary_of_the_tests';

type Json = Record<string, unknown>;
interface Session extends Json {
  id: string;
  url: string | null;
  status: string;
  payment_status: string;
  payment_intent: string | null;
  amount_total: number;
  currency: string;
  success_url: string;
  cancel_url: string;
  metadata: Record<string, string>;
}
interface Paid {
  amount: number;
  refunded: number;
  currency: string;
  charge: string;
  metadata: Record<string, string>;
}
/** What goes wrong with one request: an answer in its place, no answer at all, or an answer that is lost after it was done. */
export type Fault = { status: number; error: Json } | 'cut' | 'cut after' | 'half after' | { slowMs: number };

const SESSION_FIELDS = [
  /^mode$/,
  /^line_items\[\d+\]\[(quantity|price_data\]\[(currency|unit_amount|product_data\]\[name))\]$/,
  /^(success_url|cancel_url|client_reference_id|expires_at|customer_email)$/,
  /^metadata\[\w{1,40}\]$/,
  /^payment_intent_data\[(description|metadata\]\[\w{1,40})\]$/,
];
const REFUND_FIELDS = [/^(payment_intent|charge|amount|reason)$/, /^metadata\[\w{1,40}\]$/];

class Refused extends Error {
  constructor(
    readonly status: number,
    readonly error: Json,
  ) {
    super(String(error.message));
  }
}
const invalid = (message: string, param?: string, code = 'parameter_invalid') =>
  new Refused(400, { type: 'invalid_request_error', code, message, param });

export class FakeStripe {
  readonly sessions = new Map<string, Session>();
  readonly paid = new Map<string, Paid>();
  readonly requests: { path: string; key: string; form: URLSearchParams; replayed: boolean }[] = [];
  readonly refunds: Json[] = [];
  /** Taken by requests in their order, before anything else; `undefined` lets one pass. */
  readonly faults: (Fault | undefined)[] = [];
  /** Answers of webhooks. */
  readonly delivered: { id: string; type: string; status: number }[] = [];
  /** Whether what happens is said by itself. */
  speaks = true;
  /** Where it is said. */
  webhook = '';
  readonly #done = new Map<string, { body: string; status: number; answer: string }>();
  readonly #busy = new Set<string>();
  readonly #stripe = new Stripe(SECRET);
  #server!: Server;
  url = '';

  static async start(): Promise<FakeStripe> {
    const fake = new FakeStripe();
    fake.#server = createServer((request, response) => void fake.#serve(request, response));
    await new Promise<void>((done) => fake.#server.listen(0, '127.0.0.1', done));
    fake.url = `http://127.0.0.1:${(fake.#server.address() as AddressInfo).port}`;
    return fake;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const page = /^\/pay\/(cs_test_\w+)(\/\w+)?$/.exec(url.pathname);
    if (page) return this.#page(page[1]!, page[2], request.method ?? '', response);
    const say = (status: number, answer: string, headers = {}) => {
      response.writeHead(status, { 'content-type': 'application/json', 'request-id': `req_${randomUUID()}`, ...headers });
      response.end(answer);
    };
    const fault = this.faults.shift();
    if (fault === 'cut') return void request.socket.destroy();
    if (typeof fault === 'object' && 'status' in fault) return say(fault.status, JSON.stringify({ error: fault.error }));
    if (typeof fault === 'object') await new Promise((done) => setTimeout(done, fault.slowMs));
    try {
      const { status, answer, replayed } = this.#api(request, url, body);
      if (fault === 'cut after') return void request.socket.destroy();
      if (fault === 'half after') {
        response.writeHead(status, { 'content-type': 'application/json', 'content-length': String(answer.length) });
        response.write(answer.slice(0, 20), () => request.socket.destroy());
        return;
      }
      say(status, answer, replayed ? { 'idempotent-replayed': 'true' } : {});
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      say(error.status, JSON.stringify({ error: error.error }));
    }
  }

  #api(request: IncomingMessage, url: URL, body: string): { status: number; answer: string; replayed: boolean } {
    if (request.headers.authorization !== `Bearer ${SECRET}`) {
      throw new Refused(401, { type: 'invalid_request_error', message: 'Invalid API Key provided' });
    }
    const make = { '/v1/checkout/sessions': this.#session, '/v1/refunds': this.#refund }[url.pathname];
    if (request.method !== 'POST' || !make || url.search) {
      throw new Refused(404, { type: 'invalid_request_error', message: `Unrecognized request URL (${request.method}: ${url.pathname}).` });
    }
    if (!/^application\/x-www-form-urlencoded(;|$)/.test(request.headers['content-type'] ?? '')) throw invalid('The body is no form.');
    const key = request.headers['idempotency-key'];
    if (typeof key !== 'string' || key.length === 0 || key.length > 255) throw invalid('There is no Idempotency-Key.');
    const form = new URLSearchParams(body);
    const before = this.#done.get(key);
    this.requests.push({ path: url.pathname, key, form, replayed: before !== undefined });
    if (before && before.body !== `${url.pathname}?${body}`) {
      throw new Refused(400, { type: 'idempotency_error', message: 'Keys for idempotent requests can only be used with the same parameters they were first used with.' });
    }
    if (before) return { ...before, replayed: true };
    if (this.#busy.has(key)) throw new Refused(409, { type: 'idempotency_error', message: 'There is currently another in-progress request.' });
    const names = [...form.keys()];
    const twice = names.find((name, at) => names.indexOf(name) !== at);
    if (twice) throw invalid(`${twice} is said twice.`, twice);
    const answer = JSON.stringify(make.call(this, form));
    this.#done.set(key, { body: `${url.pathname}?${body}`, status: 200, answer });
    return { status: 200, answer, replayed: false };
  }

  #check(form: URLSearchParams, known: RegExp[]): void {
    for (const [name, value] of form) {
      if (!known.some((one) => one.test(name))) throw invalid(`Received unknown parameter: ${name}`, name, 'parameter_unknown');
      if (value === '') throw invalid(`You passed an empty string for '${name}'.`, name, 'parameter_invalid_empty');
      if (name.includes('metadata') && value.length > 500) throw invalid('Metadata values can have up to 500 characters.', name);
    }
  }

  #session(form: URLSearchParams): Session {
    this.#check(form, SESSION_FIELDS);
    const item = (name: string) => form.get(`line_items[0][${name}`);
    const minor = item('price_data][unit_amount]') ?? '';
    const currency = item('price_data][currency]') ?? '';
    if (form.get('mode') !== 'payment') throw invalid('Invalid mode.', 'mode');
    if (!/^[1-9]\d{0,7}$/.test(minor)) throw invalid('Invalid integer.', 'line_items[0][price_data][unit_amount]', 'parameter_invalid_integer');
    if (!/^[a-z]{3}$/.test(currency)) throw invalid('Invalid currency.', 'line_items[0][price_data][currency]');
    if (item('quantity]') !== '1') throw invalid('Invalid quantity.', 'line_items[0][quantity]');
    const name = item('price_data][product_data][name]');
    if (!name || name.length > 250) throw invalid('Invalid product name.', 'line_items[0][price_data][product_data][name]');
    for (const field of ['success_url', 'cancel_url']) {
      if (!/^https?:\/\//.test(form.get(field) ?? '') || !URL.canParse(form.get(field)!)) throw invalid('Not a valid URL', field, 'url_invalid');
    }
    const ahead = Number(form.get('expires_at')) - Date.now() / 1000;
    if (!(ahead > 30 * 60 - 5 && ahead < 24 * 3600)) throw invalid('The expires_at timestamp must be 30 minutes to 24 hours ahead.', 'expires_at');
    if ((form.get('payment_intent_data[description]') ?? '').length > 1000) throw invalid('Too long.', 'payment_intent_data[description]');
    if ((form.get('client_reference_id') ?? '').length > 200) throw invalid('Too long.', 'client_reference_id');
    const metadata = Object.fromEntries([...form].flatMap(([key, value]) => (/^metadata\[(\w+)\]$/.exec(key) ? [[/\[(\w+)\]/.exec(key)![1]!, value]] : [])));
    const id = `cs_test_${randomUUID().replaceAll('-', '')}`;
    const session: Session = {
      id,
      object: 'checkout.session',
      livemode: false,
      mode: 'payment',
      ui_mode: 'hosted_page',
      status: 'open',
      payment_status: 'unpaid',
      payment_intent: null,
      amount_total: Number(minor),
      currency,
      success_url: form.get('success_url')!,
      cancel_url: form.get('cancel_url')!,
      client_reference_id: form.get('client_reference_id'),
      metadata,
      url: `${this.url}/pay/${id}`,
      expires_at: Number(form.get('expires_at')),
    };
    this.sessions.set(id, session);
    return session;
  }

  #refund(form: URLSearchParams): Json {
    this.#check(form, REFUND_FIELDS);
    const intent = form.get('payment_intent') ?? '';
    const paid = this.paid.get(intent);
    if (!paid) throw invalid(`No such payment_intent: '${intent}'`, 'payment_intent', 'resource_missing');
    const amount = Number(form.get('amount') ?? paid.amount - paid.refunded);
    if (paid.refunded >= paid.amount) throw invalid(`Charge ${paid.charge} has already been refunded.`, undefined, 'charge_already_refunded');
    if (amount > paid.amount - paid.refunded) throw invalid('Refund amount is greater than unrefunded amount.', 'amount');
    const refund = this.#giveBack(intent, amount, Object.fromEntries([...form].flatMap(([key, value]) => (key.startsWith('metadata[') ? [[key.slice(9, -1), value]] : []))));
    return refund;
  }

  /** Gives money back, as Stripe's own pages do too. */
  #giveBack(intent: string, amount: number, metadata: Record<string, string>): Json {
    const paid = this.paid.get(intent)!;
    paid.refunded += amount;
    const refund = {
      id: `re_${randomUUID().replaceAll('-', '')}`,
      object: 'refund',
      amount,
      charge: paid.charge,
      currency: paid.currency,
      metadata,
      payment_intent: intent,
      reason: 'requested_by_customer',
      status: 'succeeded',
    };
    this.refunds.push(refund);
    if (this.speaks) {
      void this.say('refund.created', refund);
      void this.say('charge.refunded', this.charge(intent));
    }
    return refund;
  }

  refundAtStripe(intent: string, amount?: number): Json {
    const paid = this.paid.get(intent)!;
    return this.#giveBack(intent, amount ?? paid.amount - paid.refunded, {});
  }

  charge(intent: string): Json {
    const paid = this.paid.get(intent)!;
    return { id: paid.charge, object: 'charge', amount: paid.amount, amount_refunded: paid.refunded, refunded: paid.refunded >= paid.amount, payment_intent: intent, metadata: paid.metadata };
  }

  /** Somebody pays; the event is said unless it was told to be silent. */
  pay(id: string): Session {
    const session = this.sessions.get(id)!;
    if (session.status === 'open') {
      const intent = `pi_${randomUUID().replaceAll('-', '')}`;
      Object.assign(session, { status: 'complete', payment_status: 'paid', payment_intent: intent, url: null });
      this.paid.set(intent, { amount: session.amount_total, refunded: 0, currency: session.currency, charge: `ch_${randomUUID().replaceAll('-', '')}`, metadata: session.metadata });
    }
    return session;
  }

  #page(id: string, what: string | undefined, method: string, response: ServerResponse): void {
    const session = this.sessions.get(id);
    if (!session) return void response.writeHead(404).end();
    if (what === '/done' && method === 'POST') {
      this.pay(id);
      if (this.speaks) void this.say('checkout.session.completed', session);
      return void response.writeHead(303, { location: session.success_url }).end();
    }
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
    response.end(`<!doctype html><html lang="en"><title>Checkout</title><h1>${(session.amount_total / 100).toFixed(2)} ${session.currency}</h1>
      <form method="post" action="/pay/${id}/done"><button>Pay</button></form><a href="${session.cancel_url}">Back</a>`);
  }

  /** An event as text, and its signature by Stripe's own package. */
  event(type: string, object: unknown, id = `evt_${randomUUID().replaceAll('-', '')}`, more: Json = {}): { id: string; body: string; header: string } {
    const body = JSON.stringify({ id, object: 'event', api_version: '2026-10-28.endive', created: Math.floor(Date.now() / 1000), livemode: false, type, data: { object }, ...more });
    return { id, body, header: this.sign(body) };
  }

  sign(body: string, timestamp = Math.floor(Date.now() / 1000), secret = WEBHOOK_SECRET): string {
    const header = this.#stripe.webhooks.generateTestHeaderString({ payload: body, secret, timestamp });
    // Stripe's own reading of what is sent to our end: a test that signs wrongly would prove nothing.
    if (secret === WEBHOOK_SECRET && Math.abs(timestamp - Date.now() / 1000) < 200) {
      this.#stripe.webhooks.constructEvent(body, header, WEBHOOK_SECRET);
    }
    return header;
  }

  /** Says something to the server, and again until it is taken, as Stripe does. */
  async say(type: string, object: unknown, id?: string): Promise<number> {
    const event = this.event(type, object, id);
    for (let tries = 0; tries < 5; tries++) {
      const status = await this.deliver(event.body, event.header);
      this.delivered.push({ id: event.id, type, status });
      if (status < 300) return status;
      await new Promise((done) => setTimeout(done, 300));
    }
    return 0;
  }

  async deliver(body: string, header?: string): Promise<number> {
    const headers: Record<string, string> = { 'content-type': 'application/json; charset=utf-8' };
    if (header !== undefined) headers['stripe-signature'] = header;
    try {
      const answer = await fetch(this.webhook, { method: 'POST', headers, body });
      return answer.status;
    } catch {
      return 0;
    }
  }
}
