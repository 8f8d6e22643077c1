/** Money without a browser: our requests against a strict Stripe, its webhooks against our end, and what the books say. */
import { expect, test } from '@playwright/test';
import Stripe from 'stripe';
import { Business, Member, ROOM, sessionOf } from './server';
import { SECRET, WEBHOOK_SECRET } from './stripe';

let business: Business;
test.beforeEach(async () => {
  business = await Business.open();
});
test.afterEach(() => business.close());

const eur = (minor: number) => ({ minor, currency: 'EUR', digits: 2 });
const viewer = (name: string) => Member.enter(business, { name });

test('the stand-in takes what Stripe’s own package sends, and what it does not know it refuses', async () => {
  const { hostname, port } = new URL(business.stripe.url);
  const stripe = new Stripe(SECRET, { host: hostname, port: Number(port), protocol: 'http', telemetry: false, maxNetworkRetries: 0 });
  const wanted = {
    mode: 'payment' as const,
    line_items: [{ quantity: 1, price_data: { currency: 'eur', unit_amount: 500, product_data: { name: 'A tip' } } }],
    success_url: 'https://example.org/#ok',
    cancel_url: 'https://example.org/',
    expires_at: Math.floor(Date.now() / 1000) + 35 * 60,
    metadata: { streamcore_payment: 'x' },
    payment_intent_data: { description: 'A tip', metadata: { streamcore_payment: 'x' } },
  };
  const session = await stripe.checkout.sessions.create(wanted, { idempotencyKey: 'one' });
  const again = await stripe.checkout.sessions.create(wanted, { idempotencyKey: 'one' });
  expect(again.id).toBe(session.id);
  await expect(stripe.checkout.sessions.create({ ...wanted, cancel_url: 'https://example.org/2' }, { idempotencyKey: 'one' })).rejects.toThrow(/idempotent/);
  await expect(stripe.checkout.sessions.create({ ...wanted, amount: 5 } as never)).rejects.toThrow(/unknown parameter: amount/);
  const theirs = business.stripe.requests[0]!.form;

  const ada = await viewer('Ada');
  expect((await business.tip(ada, 500, 'hi')).status).toBe(201);
  const ours = business.stripe.requests.at(-1)!.form;
  const names = (form: URLSearchParams) => [...form.keys()].filter((name) => name !== 'client_reference_id').sort();
  expect(names(ours), 'the same form, field by field').toEqual(names(theirs));
  ada.leave();
});

test('a tip counts when the signed webhook says paid, once, and everybody hears of it', async () => {
  const host = await Member.host(business);
  const [ada, bob] = [await viewer('Ada'), await viewer('Bob')];
  expect(ada.money).toMatchObject({ test: true, rules: { currency: 'EUR', least: 100, most: 50_000, presets: [200, 500, 1000, 2000] } });
  expect((await host.act({ is: 'goal', label: 'New mixer', minor: 10_000, currency: 'EUR' })).type).toBe('done');
  const bought = await business.tip(ada, 2000, '  Bravo <b>!</b> ');
  const session = business.stripe.pay(sessionOf(bought.body));
  const event = business.stripe.event('checkout.session.completed', session);
  expect(bob.paid('tipped'), 'nothing before the webhook').toEqual([]);
  const statuses = await Promise.all(Array.from({ length: 5 }, () => business.stripe.deliver(event.body, event.header)));
  expect(statuses).toEqual([204, 204, 204, 204, 204]);
  expect(await business.stripe.deliver(event.body, business.stripe.sign(event.body)), 'a day later, signed anew').toBe(204);
  await expect.poll(() => bob.paid('tipped').length).toBe(1);
  const { tip } = bob.paid('tipped')[0] as { tip: Record<string, unknown> };
  expect(tip).toMatchObject({ name: 'Ada', sum: eur(2000), message: 'Bravo <b>!</b>' });
  await expect.poll(() => (bob.paid('goal').at(-1)?.goal as { raised: number }).raised).toBe(2000);
  expect(bob.paid('booked'), 'the books are the host’s').toEqual([]);
  await expect.poll(() => host.paid('booked').length).toBe(1);
  const [show] = await host.revenue();
  expect(show).toMatchObject({ number: 1, revenue: [{ currency: 'EUR', tips: 2000, tip_count: 1, tickets: 0, refunds: 0, fee: 100, net: 1900 }] });
  expect(((await bob.ask({ type: 'money', question: { of: 'revenue' } })) as { code?: string }).code).toBe('not_allowed');
  // A newcomer sees the tip, also after a crash.
  await business.crash();
  const cleo = await viewer('Cleo');
  expect(cleo.money).toMatchObject({ goal: { raised: 2000 }, tips: [{ name: 'Ada', sum: eur(2000) }] });
  const late = business.stripe.event('checkout.session.completed', session, event.id);
  expect(await business.stripe.deliver(late.body, late.header)).toBe(204);
  const again = await Member.host(business);
  expect((await again.sales()).length).toBe(1);
});

test('what is not signed by Stripe, or not now, changes nothing', async () => {
  const host = await Member.host(business);
  const ada = await viewer('Ada');
  const session = business.stripe.pay(sessionOf((await business.tip(ada, 500)).body));
  const { body, header } = business.stripe.event('checkout.session.completed', session);
  const now = Math.floor(Date.now() / 1000);
  const forged: [string, string | undefined, string][] = [
    ['no signature', undefined, body],
    ['garbage', 'nonsense', body],
    ['another secret', business.stripe.sign(body, now, 'whsec_other'), body],
    ['the secret without its prefix', business.stripe.sign(body, now, WEBHOOK_SECRET.slice(6)), body],
    ['too old', business.stripe.sign(body, now - 302), body],
    ['too far ahead', business.stripe.sign(body, now + 302), body],
    ['a changed body', header, body.replace('"amount_total":500', '"amount_total":50000')],
    ['a space more', header, `${body} `],
    ['only a v0', header.replace('v1=', 'v0='), body],
  ];
  for (const [what, signature, sent] of forged) {
    expect(await business.stripe.deliver(sent, signature), what).toBe(400);
  }
  expect(await business.stripe.deliver('{"id":7}', business.stripe.sign('{"id":7}')), 'signed garbage').toBe(400);
  const big = JSON.stringify({ id: 'x'.repeat(300_000) });
  expect(await business.stripe.deliver(big, business.stripe.sign(big)), 'oversized').toBe(413);
  const live = business.stripe.event('checkout.session.completed', session, undefined, { livemode: true });
  expect(await business.stripe.deliver(live.body, live.header), 'of the other mode: taken, and left alone').toBe(204);
  const other = business.stripe.event('checkout.session.completed', { ...session, amount_total: 1 });
  expect(await business.stripe.deliver(other.body, other.header), 'of another sum').toBe(204);
  const strange = business.stripe.event('invoice.paid', { id: 'in_1' });
  expect(await business.stripe.deliver(strange.body, strange.header)).toBe(204);
  expect(await host.sales()).toEqual([]);
  const rolled = header.replace(/,v1=/, `,v1=${'0'.repeat(64)},v1=`);
  expect(await business.stripe.deliver(body, rolled), 'one of two signatures, while a secret is rolled').toBe(204);
  expect((await host.sales()).length).toBe(1);
});

test('webhooks in any order come to the same', async () => {
  const host = await Member.host(business);
  await host.act({ is: 'price', minor: 1500, currency: 'EUR' });
  const say = async (type: string, object: unknown) => expect(await business.stripe.say(type, object), type).toBe(204);
  // The refund before the payment.
  business.stripe.speaks = false;
  const bought = await business.post(`/api/rooms/${ROOM}/tickets`);
  const session = business.stripe.pay(sessionOf(bought.body));
  const refund = business.stripe.refundAtStripe(session.payment_intent!);
  await say('charge.refunded', { ...business.stripe.charge(session.payment_intent!), metadata: {} });
  await say('refund.created', refund);
  await say('checkout.session.completed', session);
  expect((await host.sales())[0]).toMatchObject({ refunded: 1500, refund: { is: 'done' } });
  expect((await business.openTicket(String(bought.body.ticket))).body).toEqual({ state: 'refunded' });
  // A bank that takes its time, and says so last.
  const slow = await business.post(`/api/rooms/${ROOM}/tickets`);
  const code = String(slow.body.ticket);
  const later = business.stripe.pay(sessionOf(slow.body));
  await say('checkout.session.completed', { ...later, payment_status: 'unpaid' });
  expect((await business.openTicket(code)).body).toEqual({ state: 'processing' });
  await say('checkout.session.async_payment_succeeded', later);
  await say('checkout.session.expired', { ...later, status: 'expired' });
  await say('checkout.session.completed', { ...later, payment_status: 'unpaid' });
  expect((await business.openTicket(code)).body.state).toBe('open');
  // A bank that says no.
  const failing = await business.post(`/api/rooms/${ROOM}/tickets`);
  await say('checkout.session.async_payment_failed', business.stripe.sessions.get(sessionOf(failing.body)));
  expect((await business.openTicket(String(failing.body.ticket))).body).toEqual({ state: 'unpaid' });
  const [show] = await host.revenue();
  expect(show).toMatchObject({ revenue: [{ tickets: 3000, ticket_count: 2, refunds: 1500, fee: 75, net: 1425 }] });
});

test('whatever Stripe does, a page is opened once or an understandable no comes back', async () => {
  const ada = await viewer('Ada');
  const { faults, sessions, requests } = business.stripe;
  const passing = [
    { status: 500, error: { type: 'api_error' } },
    { status: 429, error: { type: 'rate_limit_error', code: 'rate_limit' } },
    { status: 409, error: { type: 'idempotency_error' } },
    'cut',
    'cut after',
    'half after',
    { slowMs: 900 },
  ] as const;
  for (const fault of passing) {
    faults.push(fault);
    const before = sessions.size;
    const bought = await business.tip(ada, 500);
    expect(bought.status, JSON.stringify(fault)).toBe(201);
    expect(sessions.size, `one page though ${JSON.stringify(fault)}`).toBe(before + 1);
    expect(sessions.has(sessionOf(bought.body))).toBe(true);
  }
  expect(requests.filter((one) => one.replayed).length, 'asked again with the same key').toBe(2);
  const final: [number, Record<string, unknown>, number, string][] = [
    [402, { type: 'card_error', code: 'card_declined', message: 'no' }, 502, 'payments_fail'],
    [400, { type: 'invalid_request_error', message: 'no' }, 502, 'payments_fail'],
    [401, { type: 'invalid_request_error', message: 'Invalid API Key provided' }, 503, 'no_payments'],
  ];
  for (const [status, error, answered, code] of final) {
    const asked = requests.length;
    faults.push({ status, error });
    expect(await business.tip(await viewer(`v${status}`), 500), `${status}`).toEqual({ status: answered, body: { code } });
    expect(requests.length, 'and not asked again').toBe(asked);
  }
  faults.push(...Array.from({ length: 3 }, () => ({ status: 500, error: { type: 'api_error' } })));
  expect((await business.tip(await viewer('last'), 500)).body).toEqual({ code: 'payments_fail' });
});

test('ten tips a minute, and only what may be tipped', async () => {
  const host = await Member.host(business);
  const rules = { slow_mode_s: 0, hold_links: true, emoji_only: false, locked: false, blocked_words: ['rubbish'], hold_blocked: true };
  await host.ask({ type: 'moderate', act: { do: 'change', rules } });
  const ada = await viewer('Ada');
  const codes: [unknown, string | undefined, number, string][] = [
    [99, undefined, 422, 'out_of_range'],
    [50_001, undefined, 422, 'out_of_range'],
    [500, 'RUBBÍSH', 422, 'blocked'],
    [500, 'see cheap.example', 422, 'blocked'],
    [500, 'x'.repeat(201), 422, 'too_long'],
  ];
  const dan = await viewer('Dan');
  for (const [minor, message, status, code] of codes) {
    const answer = await business.tip(dan, minor as number, message);
    expect([answer.status, answer.body.code], `${String(minor)} ${message}`).toEqual([status, code]);
  }
  for (const wrong of [-5, 1.5, '500', 1e300, null]) expect((await business.tip(dan, wrong as number)).status).toBe(422);
  expect((await business.post(`/api/rooms/${ROOM}/tips`, { minor: 500 })).status, 'no token').toBe(401);
  expect((await business.post(`/api/rooms/${ROOM}/tips`, { minor: 500 }, 'forged.token.here')).status).toBe(401);
  expect((await business.post(`/api/rooms/other/tips`, { minor: 500 }, ada.token)).status, 'of another room').toBe(401);
  const answers = [];
  for (let n = 0; n < 11; n++) answers.push(await business.tip(ada, 500));
  expect(answers.map((answer) => answer.status)).toEqual([...Array.from({ length: 10 }, () => 201), 429]);
  expect(answers[10]!.body.code).toBe('too_fast');
  expect((await business.tip(await viewer('Bob'), 500)).status, 'another viewer').toBe(201);
});

test('tickets: the door, the devices, the link, another show', async () => {
  const host = await Member.host(business);
  const door = (pass?: string) => fetch(`http://${business.http}/whep/${ROOM}`, { method: 'POST', body: 'v=0', headers: { 'content-type': 'application/sdp', ...(pass ? { authorization: `Bearer ${pass}` } : {}) } });
  expect((await door()).status, 'free: nothing is live yet').toBe(409);
  const early = await viewer('Early');
  await host.act({ is: 'price', minor: 1500, currency: 'EUR' });
  await expect.poll(() => early.over?.code, 'who is in without a ticket is shown out').toBe('ticket');
  const asked = await fetch(`http://${business.http}/api/rooms/${ROOM}/chat`, { headers: { authorization: `Bearer ${early.token}` } });
  expect([asked.status, ((await asked.json()) as { code: string }).code], 'nor by another way in').toEqual([403, 'ticket']);
  const shut = await door();
  expect([shut.status, await shut.json()]).toEqual([402, { code: 'ticket_needed', ticket: eur(1500) }]);
  expect((await viewer('Stranger')).over).toMatchObject({ code: 'ticket' });
  expect((await door(host.token)).status, 'the host needs none').toBe(409);

  const { code } = await business.ticket();
  for (const forged of [code.replace(/^./, (c) => (c === '0' ? '1' : '0')), code.slice(1), '', 'x'.repeat(5000)]) {
    expect((await business.openTicket(forged)).body, forged.slice(0, 20)).toEqual({ state: 'unknown' });
    expect((await door(forged || 'x')).status).toBe(402);
  }
  expect((await door(code)).status, 'the link’s code is no device’s').toBe(402);
  const pass = async () => String((await business.openTicket(code)).body.pass);
  const [one, two, three] = [await pass(), await pass(), await pass()];
  expect(new Set([one, two, three]).size).toBe(3);
  expect((await business.openTicket(code, one)).body.pass, 'the same device stays the same').toBe(one);
  expect((await door(one)).status).toBe(409);
  const [first, second] = [await Member.enter(business, { pass: one }), await Member.enter(business, { pass: two })];
  expect(first.over ?? second.over).toBeUndefined();
  expect((await Member.enter(business, { pass: three })).over).toMatchObject({ code: 'devices', most: 2 });
  const full = await door(three);
  expect([full.status, await full.json()]).toEqual([403, { code: 'devices', most: 2 }]);
  first.leave();
  await expect.poll(async () => (await door(three)).status, 'a place is free again').toBe(409);

  await host.act({ is: 'show', title: 'Next week' });
  await expect.poll(() => second.over?.code, 'the ticket was for the show before').toBe('ticket');
  expect((await business.openTicket(code)).body).toEqual({ state: 'over' });
  expect((await door(one)).status).toBe(402);
  const [next, last] = await host.revenue();
  expect([next?.number, next?.title, next?.revenue]).toEqual([2, 'Next week', []]);
  expect(last).toMatchObject({ number: 1, revenue: [{ tickets: 1500, fee: 75, net: 1425 }] });
  await host.act({ is: 'price', minor: 0 });
  expect((await door()).status, 'free again').toBe(409);
});

test('a cancelled show is given back once each, over crashes, and what fails is listed', async () => {
  test.setTimeout(120_000);
  let host = await Member.host(business);
  await host.act({ is: 'price', minor: 1500, currency: 'EUR' });
  const tickets = [];
  for (let n = 0; n < 6; n++) tickets.push(await business.ticket());
  const tipper = await Member.enter(business, { pass: (await business.openTicket(tickets[0]!.code)).body.pass });
  // One is contested, one lost its answer, then the server dies in the middle.
  business.stripe.faults.push({ status: 400, error: { type: 'invalid_request_error', code: 'charge_disputed', message: 'no' } }, 'cut after');
  business.stripe.faults.push(...Array.from({ length: 5 }, () => ({ slowMs: 400 })));
  expect((await host.act({ is: 'cancel' })).type).toBe('done');
  await expect.poll(() => business.stripe.refunds.length, { timeout: 20_000 }).toBeGreaterThan(1);
  await business.crash();
  host = await Member.host(business);
  const states = async () => (await host.sales()).map((sale) => (sale.refund as { is: string } | undefined)?.is).sort();
  await expect.poll(states, { timeout: 30_000 }).toEqual(['done', 'done', 'done', 'done', 'done', 'failed']);
  expect(business.stripe.refunds.length, 'each once').toBe(5);
  const failed = (await host.sales()).find((sale) => (sale.refund as { is: string }).is === 'failed')!;
  expect(failed.refund).toEqual({ is: 'failed', why: 'disputed' });
  expect((await host.revenue())[0]).toMatchObject({ revenue: [{ tickets: 9000, refunds: 7500, fee: 75, net: 1425 }] });
  expect((await host.act({ is: 'cancel' })).type, 'again: only what failed').toBe('done');
  await expect.poll(states, { timeout: 20_000 }).toEqual(Array.from({ length: 6 }, () => 'done'));
  expect(business.stripe.refunds.length).toBe(6);
  expect((await host.revenue())[0]).toMatchObject({ revenue: [{ refunds: 9000, fee: 0, net: 0 }] });
  const again = await host.act({ is: 'refund', payment: failed.id });
  expect(again.code, 'given back already').toBe('not_undoable');
  expect((await host.act({ is: 'refund', payment: 'f'.repeat(32) })).code).toBe('unknown');
  for (const { code } of tickets) expect((await business.openTicket(code)).body).toEqual({ state: 'refunded' });
  tipper.leave();
});
