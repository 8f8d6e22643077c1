/** npm's socket.io-client against the real server program, beside viewers who speak the room's own WebSocket. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import WebSocket from 'ws';
import { hostToken } from '../viewer/rooms';
import { Program, startServer } from '../viewer/support';
import { App, SOON, Viewer, until } from './apps';

const KEY = 'a key for this test alone, of 32 letters and more';
const TRANSPORTS = [
  { name: 'polling that becomes a WebSocket', transports: ['polling', 'websocket'] },
  { name: 'polling alone', transports: ['polling'] },
  { name: 'a WebSocket alone', transports: ['websocket'] },
];

let folder: string;
let server: Program;
let http: string;
let media: string;

/** The same tokens and the same messages after a restart. */
const extra = () => ['--database', join(folder, 'rooms.db'), '--token-key-env', 'WHIP_KEY'];

test.beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'socketio-'));
  ({ program: server, http, media } = await startServer(KEY, extra()));
});
test.afterEach(async () => {
  await server.kill();
  rmSync(folder, { recursive: true, force: true });
});

for (const { name, transports } of TRANSPORTS) {
  test(`apps and viewers hear each other over ${name}`, async () => {
    const ada = await App.enter(http, { name: 'Ada' }, { transports });
    const bea = await Viewer.enter(http, { name: 'Bea' });
    const first = await ada.say('hello from the app');
    await bea.hears('hello from the app');
    await bea.say('hello from the page');
    await ada.hears('hello from the page');
    expect(ada.welcome!.you).toMatchObject({ name: 'Ada', role: 'viewer' });
    await ada.say('an answer', { reply_to: first });
    await bea.hears('an answer');
    expect(ada.texts()).toEqual(['hello from the app', 'hello from the page', 'an answer']);
    expect(ada.texts()).toEqual(bea.texts());
    expect(await ada.ask('rename', { name: 'Adele' })).toMatchObject({ result: 'renamed', name: 'Adele' });
    const page = await ada.ask('history', { before: 1000, search: 'page' });
    expect(page).toMatchObject({ type: 'history', more: false, messages: [{ text: 'hello from the page' }] });
    if (transports.length === 2) await until('became a WebSocket', () => ada.transport === 'websocket');
    else expect(ada.transport).toBe(transports[0]);
    ada.leave();
    bea.leave();
  });
}

test('a host moderates over Socket.IO, and a viewer cannot', async () => {
  const host = await App.enter(http, { token: await hostToken(http, 'show', KEY) });
  const troll = await App.enter(http, { name: 'Troll' }, { transports: ['polling'] });
  const bea = await Viewer.enter(http, { name: 'Bea' });
  const rude = await troll.say('something rude');
  await bea.hears('something rude');
  expect(await troll.act({ do: 'clear' })).toMatchObject({ type: 'refused', code: 'not_allowed' });
  expect(await troll.ask('log', {})).toMatchObject({ type: 'refused', code: 'not_allowed' });

  expect(await host.act({ do: 'delete', message: rude })).toMatchObject({ type: 'done', result: 'acted' });
  await until('it is gone from the page', () => !bea.messages.has(rude));
  await until('it is gone from the app', () => !troll.messages.has(rude));
  await host.act({ do: 'time_out', member: troll.welcome!.you.id, seconds: 60 });
  expect(await troll.ask('say', { text: 'again' })).toMatchObject({ type: 'refused', code: 'timed_out' });
  await until('it is told why', () => troll.events.some(({ kind }) => kind === 'restricted'));
  expect(bea.events.some(({ kind }) => kind === 'restricted'), 'others are not told').toBe(false);
  const log = (await host.ask('log', {})) as unknown as { entries: { act: { do: string } }[] };
  expect(log.entries.map(({ act }) => act.do)).toEqual(['time_out', 'delete']);

  const invited = (await host.act({ do: 'invite', name: 'Mo' })) as unknown as { member: string; token: string };
  const mo = await App.enter(http, { token: invited.token });
  expect(mo.welcome!.you).toMatchObject({ name: 'Mo', role: 'moderator' });
  expect(await mo.act({ do: 'lift', member: troll.welcome!.you.id })).toMatchObject({ result: 'acted' });
  await troll.say('sorry');
  await host.act({ do: 'uninvite', member: invited.member });
  await until('is turned away', () => mo.ends.includes('io server disconnect'));
  expect(mo.refused).toMatchObject([{ type: 'refused', code: 'token' }]);
  expect(mo.closings).toMatchObject([{ again: false }]);
  for (const one of [host, troll, mo, bea]) one.leave();
});

test('who loses the connection comes back and is told what was missed, once', async () => {
  const ada = await App.enter(http, { name: 'Ada' });
  const bea = await Viewer.enter(http, { name: 'Bea' });
  await bea.say('one');
  await ada.hears('one');
  const me = ada.welcome!.you.id;
  // As if the network were gone: nobody says goodbye.
  ada.socket.io.engine.close();
  await bea.say('two');
  await bea.say('three');
  await ada.hears('three');
  expect(ada.texts()).toEqual(['one', 'two', 'three']);
  expect(ada.welcome).toMatchObject({ you: { id: me, name: 'Ada' } });
  expect(ada.welcome!.snapshot, 'it is told what it missed, not everything').toBeUndefined();
  expect([ada.welcomes, ada.twice]).toEqual([2, []]);
  ada.leave();
  bea.leave();
});

for (const { name, transports } of TRANSPORTS.slice(1)) {
  test(`a server that dies and starts again costs nothing that was acknowledged, over ${name}`, async () => {
    const ada = await App.enter(http, { name: 'Ada' }, { transports });
    const bea = await Viewer.enter(http, { name: 'Bea' });
    await ada.say('before');
    // Not heard by Ada yet, perhaps: it was acknowledged, and that is what counts.
    await bea.say('just before');
    await server.kill();
    await until('the app knows', () => ada.ends.length > 0);
    ({ program: server } = await startServer(KEY, extra(), http, media));
    const cleo = await Viewer.enter(http, { name: 'Cleo' });
    await cleo.say('after');
    await ada.hears('after');
    expect(ada.texts()).toEqual(['before', 'just before', 'after']);
    expect(ada.welcome!.you.name).toBe('Ada');
    await ada.say('still me');
    await cleo.hears('still me');
    for (const one of [ada, cleo]) one.leave();
  });
}

test('a server that stops tells apps to come back', async () => {
  const apps = await Promise.all(TRANSPORTS.map(({ transports }) => App.enter(http, {}, { transports })));
  for (const app of apps.slice(0, 1)) await until('became a WebSocket', () => app.transport === 'websocket');
  server.child.kill('SIGTERM');
  for (const app of apps) await until('the connection ends', () => app.ends.length > 0);
  await until('the server ends', () => server.child.exitCode !== null);
  expect(server.child.exitCode).toBe(0);
  expect(apps.map(({ ends }) => ends)).not.toContainEqual(['io server disconnect']);
  ({ program: server } = await startServer(KEY, extra(), http, media));
  for (const app of apps) await until('is back', () => app.welcomes === 2);
  for (const app of apps) app.leave();
});

test('a flood is slowed down, then ended, and nobody else notices', async () => {
  const [ada, bea] = [await App.enter(http, { name: 'Ada' }), await Viewer.enter(http, { name: 'Bea' })];
  const fast = await App.enter(http, { name: 'Fast' });
  const answers = await Promise.all(Array.from({ length: 12 }, (_, n) => fast.ask('say', { text: `fast ${n}` })));
  const told = (what: string) => answers.filter(({ result, code }) => what === (result ?? code)).length;
  expect(told('said'), 'a burst of five').toBeGreaterThanOrEqual(5);
  expect(told('too_fast')).toBe(12 - told('said'));

  for (const transport of ['websocket', 'polling']) {
    const flood = new Program(process.execPath, [fileURLToPath(new URL('flood.mjs', import.meta.url)), http, transport]);
    expect(JSON.parse(await flood.line())).toEqual({ flooding: true });
    const began = Date.now();
    await ada.say(`can you hear me over ${transport}?`);
    await bea.hears(`can you hear me over ${transport}?`);
    const took = Date.now() - began;
    // Disconnected, or cut off if it goes on sending before it has heard of that.
    const { reason } = JSON.parse(await flood.line()) as { reason: string };
    expect(['io server disconnect', 'transport close', 'transport error'], 'it is sent away').toContain(reason);
    await flood.end();
    console.log(`over ${transport}, an honest message took ${took} ms`);
    expect(took, 'an honest message takes no second').toBeLessThan(1000);
  }
  expect(bea.texts().filter((text) => text.startsWith('flood')).length, 'what was said of it').toBeLessThan(40);
  for (const one of [ada, bea, fast]) one.leave();
});

test('what is too large, or no request, is refused and harms nobody', async () => {
  const bea = await Viewer.enter(http, { name: 'Bea' });
  const ada = await App.enter(http, { name: 'Ada' });
  expect(await ada.ask('say', { text: 'x'.repeat(501) })).toMatchObject({ code: 'too_long', most: 500 });
  for (const [event, body] of [
    ['say', undefined],
    ['say', 'words alone'],
    ['say', [1, 2]],
    ['say', { text: 7 }],
    ['say', { text: 'hi', room: 'elsewhere' }],
    ['say', { text: 'hi', surprise: true }],
    ['moderate', { act: { do: 'no such thing' } }],
    ['no such event', {}],
    ['x'.repeat(1000), {}],
    ['hello', { version: 1, room: 'show' }],
    ['__proto__', {}],
  ] as const) {
    expect(await ada.ask(event, body), `${event} ${JSON.stringify(body)}`).toMatchObject({
      type: 'refused',
      code: 'unreadable',
    });
  }
  await ada.say('still here');
  for (const transports of [['websocket'], ['polling']]) {
    const large = await App.enter(http, { name: 'Large' }, { transports, reconnection: false });
    large.socket.emit('say', { text: 'x'.repeat(200_000) });
    await until(`64 KiB is all there is over ${transports}`, () => large.ends.length > 0);
  }
  const binary = await App.enter(http, {}, { reconnection: false });
  binary.socket.emit('say', { text: Buffer.from('no text') });
  await until('attachments are none of ours', () => binary.ends.length > 0);

  // Below the library: what a client of ours would never send.
  for (const packets of [['4'], ['42'], ['42["say"'], ['42{}'], ['9'], ['40{', '42["say",{}]'], ['42["say",{}]'], ['451-["say",{}]'], ['\u0000']]) {
    const socket = new WebSocket(`ws://${http}/socket.io/?EIO=4&transport=websocket`);
    const ended = new Promise<void>((done) => socket.on('close', () => done()));
    socket.on('open', () => {
      socket.send('40');
      for (const packet of packets) socket.send(packet);
      // Whatever became of it, hello is answered or the connection is over.
      socket.send('421["hello",{"version":1,"room":"show"}]');
    });
    const answered = new Promise<void>((done) => socket.on('message', (data) => String(data).startsWith('431') && done()));
    await Promise.race([ended, answered]);
    socket.close();
  }
  await ada.say('and here');
  await bea.hears('and here');
  ada.leave();
  bea.leave();
});

test('who says hello wrongly is turned away, and told why', async () => {
  for (const [hello, code] of [
    [{ version: 2 }, 'version'],
    [{ room: 'no room!' }, 'out_of_range'],
    [{ room: undefined }, 'unreadable'],
    [{ token: 'forged' }, 'token'],
    [{ surprise: 1 }, 'unreadable'],
  ] as const) {
    const app = App.open(http);
    await until('is connected', () => app.socket.connected);
    expect(await app.hello(hello), JSON.stringify(hello)).toMatchObject({ type: 'refused', code });
    await until('is turned away', () => app.ends.includes('io server disconnect'));
    expect(app.closings).toEqual([{ again: false, reason: 'refused' }]);
  }
  const mute = App.open(http);
  await until('is connected', () => mute.socket.connected);
  expect(await mute.ask('say', { text: 'hi' })).toMatchObject({ code: 'unreadable' });
  await until('is turned away', () => mute.ends.includes('io server disconnect'));
});

test('an address has as many places as over the WebSocket, and gets them back', async () => {
  const websocket = { transports: ['websocket'], reconnection: false };
  const silent = Array.from({ length: 20 }, () => App.open(http, websocket));
  for (const app of silent) await until('is connected', () => app.socket.connected);
  const late = App.open(http, websocket);
  await until('there is no place before the door', () => late.failures.length > 0);
  const refused = await fetch(`http://${http}/socket.io/?EIO=4&transport=polling`);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '10']);
  for (const app of silent) app.leave();
  const welcome = async () => {
    const app = App.open(http, websocket);
    try {
      await until('is connected', () => app.socket.connected || app.failures.length > 0);
      return app.socket.connected ? { app, answer: await app.hello({}) } : undefined;
    } finally {
      if (!app.welcome) app.leave();
    }
  };
  await expect.poll(async () => (await welcome())?.answer.type, { timeout: SOON }).toBe('welcome');

  const inside: App[] = [];
  await expect(async () => {
    const next = await welcome();
    if (next?.answer.type === 'welcome') inside.push(next.app);
    expect(next?.answer.code).toBe('crowded');
  }).toPass({ timeout: 20_000, intervals: [10] });
  // One more is inside since the door was free again.
  expect(inside.length).toBe(19);
  const bea = new WebSocket(`ws://${http}/chat/show`);
  bea.on('open', () => bea.send(JSON.stringify({ type: 'hello', version: 1 })));
  const told = await new Promise((done) => bea.on('message', (data) => done(JSON.parse(String(data)))));
  expect(told, 'both ways share the places').toMatchObject({ type: 'refused', code: 'crowded' });
  const host = await App.enter(http, { token: await hostToken(http, 'show', KEY) });
  host.leave();
  inside.pop()!.leave();
  await expect.poll(async () => (await welcome())?.answer.type, { timeout: SOON }).toBe('welcome');
  for (const app of inside) app.leave();
});

test('behind a trusted proxy a ban holds for one address and no other', async () => {
  await server.kill();
  ({ program: server, http, media } = await startServer(KEY, [...extra(), '--trusted-proxy', '127.0.0.1']));
  const from = (address: string) => ({ extraHeaders: { 'x-forwarded-for': `203.0.113.9, ${address}` } });
  const host = await App.enter(http, { token: await hostToken(http, 'show', KEY) });
  const troll = await App.enter(http, { name: 'Troll' }, from('198.51.100.1'));
  await troll.say('something rude');
  expect(await host.act({ do: 'ban', member: troll.welcome!.you.id })).toMatchObject({ result: 'acted' });
  const again = await App.enter(http, { name: 'Nobody' }, { ...from('198.51.100.1'), transports: ['polling'] });
  expect(await again.ask('say', { text: 'me again' })).toMatchObject({ code: 'banned' });
  const other = await App.enter(http, { name: 'Other' }, from('198.51.100.2'));
  await other.say('I may');
  for (const one of [host, troll, again, other]) one.leave();
});

test.describe('a page of another origin', () => {
  let site: Server;
  test.beforeEach(async () => {
    const script = readFileSync(createRequire(import.meta.url).resolve('socket.io-client/dist/socket.io.js'));
    site = createServer((request, response) => {
      const isScript = request.url === '/io.js';
      response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
      response.end(isScript ? script : '<!doctype html><title>shop</title><script src="/io.js"></script>');
    });
    await new Promise<void>((done) => site.listen(0, '127.0.0.1', done));
  });
  test.afterEach(() => new Promise((done) => site.close(done)));

  for (const { name, transports } of TRANSPORTS) {
    test(`chats over ${name}`, async ({ page }) => {
      const bea = await Viewer.enter(http, { name: 'Bea' });
      await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
      const answer = await page.evaluate(
        async ([http, transports]) => {
          const { io } = window as unknown as { io: typeof import('socket.io-client').io };
          const socket = io(`http://${http}`, { transports: transports as string[], extraHeaders: { authorization: 'Bearer x' } });
          await new Promise<void>((done, failed) => {
            socket.on('connect', () => done());
            socket.on('connect_error', failed);
          });
          await socket.emitWithAck('hello', { version: 1, room: 'show', name: 'Page' });
          return (await socket.emitWithAck('say', { text: 'from another site' })) as { result: string };
        },
        [http, transports] as const,
      );
      expect(answer.result).toBe('said');
      await bea.hears('from another site');
      bea.leave();
    });
  }
});
