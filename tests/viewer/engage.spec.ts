/** Polls, questions, giveaways, reactions and raids: a moderator with a phone and three viewers, in Chromium against the real server program. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Browser, type Page } from '../pages';
import { TRUSTED, shut, through } from './addresses';
import { commitment, draw } from './draw.mjs';
import { DESK, Host, LYING, PHONE, visitor } from './rooms';
import { startPublisher, startServer, type Program } from './support';

const KEY = 'a key for this test alone, long enough';
const ROOM = 'show';

let folder: string;
let server: Program;
let http: string;
let host: Host;

test.beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'engage-'));
  ({ program: server, http } = await startServer(KEY, settings()));
  host = await Host.enter(http, ROOM, KEY);
});
test.afterEach(async () => {
  host.leave();
  shut();
  await server.kill();
  rmSync(folder, { recursive: true, force: true });
});

async function viewer(browser: Browser, name = 'Ada', viewport = DESK, locale = 'en-GB', at = http): Promise<Page> {
  const page = await visitor(browser, viewport, locale, viewport === PHONE);
  await page.addInitScript((name) => localStorage.setItem('streamcore.chat.name', name), name);
  await page.goto(`http://${at}/watch/${ROOM}`);
  await expect(page.locator('#react button')).toHaveCount(6);
  await expect(page.locator('#chat-as')).toBeAttached();
  return page;
}

async function moderator(browser: Browser, viewport = PHONE, locale = 'en-GB'): Promise<Page> {
  const page = await visitor(browser, viewport, locale, viewport === PHONE);
  await page.goto(await host.invite('Inès'));
  await page.locator('#tab-engage').click();
  await expect(page.locator('.engage')).toBeVisible();
  return page;
}

const settings = () => ['--database', join(folder, 'rooms.db'), '--token-key-env', 'WHIP_KEY', ...TRUSTED];
const engage = (what: Record<string, unknown>) => host.act({ do: 'engage', what });
const option = (page: Page, text: string) => page.locator('.poll-option', { hasText: text });
const share = (page: Page, text: string) => option(page, text).locator('.poll-share');
const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });

/** Does something, and measures until every one of these pages shows what follows; in milliseconds. */
async function timed(what: string, act: () => Promise<unknown>, ...shown: (() => Promise<unknown>)[]): Promise<void> {
  const began = performance.now();
  await act();
  await Promise.all(shown.map((one) => one()));
  console.log(`${what}, ms: ${Math.round(performance.now() - began)}`);
}

async function check(page: Page, name: string): Promise<void> {
  // What moves in has come to rest.
  await page.evaluate(() => Promise.all(document.getAnimations().filter((one) => !(one as CSSAnimation).animationName).map((one) => one.finished)));
  await page.screenshot({ path: `artifacts/engage-${name}.png` });
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target).join(' ')}`), name).toEqual([]);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(overflow, name).toBeLessThanOrEqual(0);
}

test('a moderator with a phone asks, three viewers vote, and everybody sees how it goes', async ({ browser }) => {
  const ines = await moderator(browser);
  const [ada, bob, cy] = [await viewer(browser), await viewer(browser, 'Bob', PHONE), await viewer(browser, 'Cy')];
  const all = [ada, bob, cy];
  await ines.getByLabel('Question', { exact: true }).fill('Which song comes next?');
  await ines.getByLabel('Answer 1', { exact: true }).fill('Moth');
  await ines.getByLabel('Answer 2', { exact: true }).fill('Nocturne');
  await button(ines, 'Add an answer').click();
  await ines.getByLabel('Answer 3', { exact: true }).fill('Belleville');
  await timed(
    'poll: start on the phone to sight of three viewers',
    () => button(ines, 'Start poll').click(),
    ...all.map((page) => () => expect(page.locator('.poll .card-title')).toHaveText('Which song comes next?')),
  );
  await expect(ada.locator('#engage-said')).toHaveText('New poll: Which song comes next?');
  await timed(
    'poll: first vote to sight of the others',
    () => option(ada, 'Moth').click(),
    ...all.map((page) => () => expect(share(page, 'Moth')).toHaveText('100%')),
    () => expect(ines.locator('.en-bars li').first()).toContainText('1 vote'),
  );
  await expect(option(ada, 'Moth')).toHaveAttribute('aria-pressed', 'true');
  await expect(option(bob, 'Moth')).toHaveAttribute('aria-pressed', 'false');
  await option(bob, 'Nocturne').click();
  await timed(
    'poll: later vote to sight of the others, at most once a second',
    () => option(cy, 'Nocturne').click(),
    ...all.map((page) => () => expect(share(page, 'Nocturne')).toHaveText('67%')),
  );
  // The last vote counts, by keyboard too.
  await option(ada, 'Nocturne').focus();
  await ada.keyboard.press('Enter');
  for (const page of all) await expect(share(page, 'Nocturne')).toHaveText('100%');
  await ada.reload();
  await expect(option(ada, 'Nocturne'), 'it is known after a reload').toHaveAttribute('aria-pressed', 'true');
  await timed(
    'poll: end on the phone to sight of three viewers',
    () => button(ines, 'End poll').click(),
    ...all.map((page) => () => expect(page.locator('.poll.over')).toBeVisible()),
  );
  await expect(bob.locator('#engage-said')).toContainText('Most chose Nocturne (100%)');
  await expect(option(ada, 'Moth')).toBeDisabled();
  await expect(ines.locator('.toast')).toContainText('The poll has ended.');
  await button(ines, 'Take off').click();
  for (const page of all) await expect(page.locator('.poll')).toBeHidden();
  await ines.locator('#tab-log').click();
  await expect(ines.locator('.rows')).toContainText('Ended the poll “Which song comes next?”');
});

test('a poll that was running is there after the server was killed', async ({ browser }) => {
  await engage({ do: 'open_poll', question: 'Again?', options: ['Yes', 'No'] });
  const ada = await viewer(browser);
  await option(ada, 'Yes').click();
  await expect(share(ada, 'Yes')).toHaveText('100%');
  await server.kill();
  ({ program: server } = await startServer(KEY, settings(), http));
  await expect(async () => {
    await option(ada, 'No').click();
    await expect(share(ada, 'No')).toHaveText('100%', { timeout: 1500 });
  }).toPass({ timeout: 20_000 });
});

test('viewers ask, want to know too, and the moderator answers and hides', async ({ browser }) => {
  const ines = await moderator(browser);
  const [ada, bob, cy] = [await viewer(browser), await viewer(browser, 'Bob', PHONE), await viewer(browser, 'Cy')];
  await expect(ada.locator('#tab-questions')).toBeHidden();
  await ines.getByText('Viewers may ask questions').click();
  for (const page of [ada, bob, cy]) await page.locator('#tab-questions').click();
  const question = (page: Page, text: string) => page.locator('.question', { hasText: text });
  await ada.locator('#question-text').fill('Which label is it on?');
  await timed(
    'question: asked to sight of the others',
    () => button(ada, 'Ask').click(),
    ...[ada, bob, cy].map((page) => () => expect(question(page, 'Which label')).toBeVisible()),
    () => expect(ines.locator('.en-questions')).toContainText('Which label'),
  );
  await expect(ada.locator('#question-note')).toHaveText('Your question is there.');
  await cy.locator('#question-text').fill('Is there a tour?');
  await cy.locator('#question-text').press('Enter');
  await expect(question(bob, 'tour')).toBeVisible();
  await timed(
    'question: wanted to sight of the others',
    () => question(bob, 'tour').locator('button').click(),
    ...[ada, bob, cy].map((page) => () => expect(question(page, 'tour').locator('button')).toHaveText('2')),
  );
  await expect(ada.locator('.question').first(), 'the most wanted first').toContainText('tour');
  await expect(question(bob, 'tour').locator('button')).toHaveAttribute('aria-pressed', 'true');
  await timed(
    'question: on top to sight of the others',
    () => button(ines, 'Answer: Is there a tour?').click(),
    ...[ada, bob, cy].map((page) => () => expect(page.locator('.answering')).toContainText('Is there a tour?')),
  );
  await button(ines, 'Answered: Is there a tour?').click();
  await expect(ada.locator('.answering')).toBeHidden();
  await expect(question(ada, 'tour')).toContainText('Answered');
  await button(ines, 'Hide: Which label is it on?').click();
  for (const page of [ada, bob, cy]) await expect(question(page, 'Which label')).toHaveCount(0);
  await button(ines, 'Undo').first().click();
  await expect(question(bob, 'Which label'), 'taken back').toBeVisible();
  // A link waits for a moderator, and nobody else sees it.
  await bob.locator('#question-text').fill('Is https://cheap.example yours?');
  await bob.locator('#question-text').press('Enter');
  await expect(bob.locator('#question-note')).toContainText('A moderator looks at your question');
  await expect(ines.locator('[data-state="waiting"]')).toContainText('cheap.example');
  await expect(question(ada, 'cheap')).toHaveCount(0);
  await button(ines, /^Show: Is https/).click();
  await expect(question(ada, 'cheap')).toBeVisible();
});

test('a giveaway is sealed, drawn, and done again by the page and by somebody else', async ({ browser }) => {
  const ways = await Promise.all(['10.0.0.1', '10.0.0.2', '10.0.0.3'].map((address) => through(http, address)));
  const names = ['Ada', 'Bob', 'Cy'];
  const pages = await Promise.all(ways.map((way, at) => viewer(browser, names[at], at === 1 ? PHONE : DESK, 'en-GB', way)));
  const neighbour = await viewer(browser, 'Neighbour', DESK, 'en-GB', ways[0]);
  const ines = await moderator(browser);
  await timed(
    'giveaway: opened to sight of three viewers',
    () => engage({ do: 'open_giveaway', prize: 'A signed vinyl', winners: 2 }),
    ...pages.map((page) => () => expect(page.locator('.giveaway .card-title')).toHaveText('A signed vinyl')),
  );
  const seal = (await pages[0]!.locator('.giveaway code').textContent())!;
  expect(seal).toMatch(/^[0-9a-f]{64}$/);
  for (const page of pages) {
    await button(page, 'Take part').click();
    await expect(page.locator('.giveaway')).toContainText('You take part. Your number is ');
  }
  await button(neighbour, 'Take part').click();
  await expect(neighbour.locator('.giveaway .card-note')).toContainText('one entry each');
  await expect(ines.locator('.engage')).toContainText('3 people take part');
  await expect(button(ines, 'Draw now'), 'the draw is the host’s').toHaveCount(0);
  const url = `http://${http}/api/rooms/${ROOM}/giveaways`;
  await engage({ do: 'close_giveaway' });
  await expect(pages[0]!.locator('.giveaway')).toContainText('Nobody can enter any more');
  await timed(
    'giveaway: drawn to sight of three viewers',
    () => engage({ do: 'draw' }),
    ...pages.map((page) => () => expect(page.locator('.giveaway')).toContainText('Drawn: ')),
  );
  const won = await Promise.all(pages.map((page) => page.locator('.giveaway-won.is-mine').count()));
  expect(won.reduce((sum, one) => sum + one), 'two of three are told that they have won').toBe(2);
  await expect(neighbour.locator('.giveaway-won')).toBeHidden();

  // The page does the draw again…
  for (const page of pages) {
    await page.locator('.fair summary').click();
    await button(page, 'Check the draw').click();
    await expect(page.locator('.giveaway-verdict')).toContainText('The draw holds: this page has done it again from the list of 3');
    await expect(page.locator('.giveaway-verdict')).toContainText('Your number is in the list.');
  }
  // … and so does somebody who shares no line with it.
  const id = new URL((await pages[0]!.locator('.fair a').getAttribute('href'))!, `http://${http}`).pathname.split('/').pop();
  const proof = (await (await fetch(`${url}/${id}`)).json()) as {
    commitment: string;
    list: string[];
    state: { seed: string; winners: { entry: string; name: string }[] };
  };
  const seed = Buffer.from(proof.state.seed, 'hex');
  expect(commitment(seed)).toBe(seal);
  expect(proof.commitment).toBe(seal);
  const places = draw(seed, proof.list, 2);
  expect(places.map((at) => proof.list[at])).toEqual(proof.state.winners.map((winner) => winner.entry));
  expect(places.map((at) => names[at]), 'entries came in this order').toEqual(proof.state.winners.map((winner) => winner.name));

  // A server that says something else is caught.
  const liar = pages[0]!;
  // A list of strangers: with one stranger more the lot may fall on the same ones.
  const strangers = proof.list.map((_, at) => `feedfeedfeedfee${at}`);
  await liar.route('**/giveaways/*', (route) => route.fulfill({ json: { ...proof, list: strangers } }));
  await button(liar, 'Check the draw').click();
  await expect(liar.locator('.giveaway-verdict.breaks')).toContainText('The draw does not hold');
});

test('reactions rise at the others’, are counted, and stand still for who wants that', async ({ browser }) => {
  const ines = await moderator(browser);
  const [ada, bob] = [await viewer(browser), await viewer(browser, 'Bob', PHONE)];
  const context = await browser.newContext({ viewport: DESK, locale: 'en-GB', reducedMotion: 'reduce' });
  const still = await context.newPage();
  await still.goto(`http://${http}/watch/${ROOM}`);
  await expect(still.locator('#chat-as')).toBeAttached();
  const watched = (page: Page) =>
    page.evaluate(
      () =>
        new Promise<string>((done) => {
          const burst = document.getElementById('burst')!;
          const watch = new MutationObserver(() => {
            const one = burst.querySelector<HTMLElement>('.burst-one');
            if (!one) return;
            watch.disconnect();
            done(`${one.textContent} ${getComputedStyle(one).animationName}`);
          });
          watch.observe(burst, { childList: true });
        }),
    );
  const [seen, stood] = [watched(bob), watched(still)];
  await timed(
    'reaction: touched to sight of another viewer',
    () => button(ada, 'Fire').click(),
    async () => expect(await seen).toBe('🔥 rise'),
  );
  expect(await stood).toBe('🔥 stand');
  await expect(ines.locator('[data-reaction="fire"]')).toHaveText('1');
  // More than three a second are not counted.
  for (let at = 0; at < 12; at++) await button(ada, 'Heart').click({ delay: 0 });
  await expect(async () => {
    const hearts = Number(await ines.locator('[data-reaction="heart"]').textContent());
    expect(hearts).toBeGreaterThanOrEqual(3);
    expect(hearts).toBeLessThanOrEqual(9);
  }).toPass();
  await expect(ada.locator('.burst-one'), 'nothing stays').toHaveCount(0);
  await context.close();
});

test('a raid takes along who does not stay', async ({ browser }) => {
  const [ada, bob, cy] = [await viewer(browser), await viewer(browser, 'Bob', PHONE), await viewer(browser, 'Cy', LYING)];
  await timed(
    'raid: begun to sight of three viewers',
    () => engage({ do: 'raid', to: 'afterparty' }),
    ...[ada, bob, cy].map((page) => () => expect(page.locator('.raid')).toContainText('The host takes everybody along to afterparty')),
  );
  await expect(ada.locator('#raid-said')).toContainText('You can stay here.');
  await check(ada, 'raid-1280');
  await check(bob, 'raid-390');
  await check(cy, 'raid-lying');
  await button(bob, 'Stay here').click();
  await expect(bob.locator('.raid')).toBeHidden();
  await button(cy, 'Go now').click();
  await expect(cy).toHaveURL(`http://${http}/watch/afterparty`);
  await ada.waitForURL(`http://${http}/watch/afterparty`, { timeout: 15_000 });
  await expect(ada.locator('#chat-as'), 'and is in its chat').toBeAttached();
  expect(bob.url()).toBe(`http://${http}/watch/${ROOM}`);
  // Who comes in afterwards is not sent away.
  const late = await viewer(browser, 'Late');
  await expect(late.locator('.raid')).toBeHidden();
});

test('markup in polls, questions and prizes stays text', async ({ browser }) => {
  const corpus = ['<script>alert(1)</script>', '<img src=x onerror=alert(1)>', '"><svg onload=alert(1)>', "javascript:alert(1)//'", '{{constructor.constructor("alert(1)")()}}', '&lt;b&gt;&#60;i&#62;'];
  const ada = await viewer(browser, '<b>Ada</b>');
  const ines = await moderator(browser);
  await engage({ do: 'open_poll', question: corpus[1], options: corpus });
  await engage({ do: 'open_giveaway', prize: corpus[2], winners: 1 });
  await engage({ do: 'take_questions', on: true });
  await ada.locator('#tab-questions').click();
  await ada.locator('#question-text').fill(corpus[0]!);
  await ada.locator('#question-text').press('Enter');
  await expect(ada.locator('.question-text')).toHaveText(corpus[0]!);
  await expect(ada.locator('.question-by')).toHaveText('by <b>Ada</b>');
  expect(await ada.locator('.poll-text').allTextContents()).toEqual(corpus);
  await expect(ada.locator('.poll .card-title')).toHaveText(corpus[1]!);
  await button(ada, 'Take part').click();
  await engage({ do: 'draw' });
  await expect(ada.locator('.giveaway')).toContainText('Drawn: <b>Ada</b>');
  await expect(ines.locator('.en-won')).toContainText('<b>Ada</b>');
  expect(await ines.locator('.en-bars li > span:first-of-type').allTextContents()).toEqual(corpus);
  await expect(ines.locator('.en-text')).toHaveText(corpus[0]!);
  for (const page of [ada, ines]) {
    await expect(page.locator(':is(.together, .questions, .engage) :is(script, iframe, img, b b, svg[onload], [onerror])')).toHaveCount(0);
  }
  await expect(engage({ do: 'raid', to: 'javascript:alert(1)' })).rejects.toThrow('to');
});

for (const locale of ['en-GB', 'fr-FR']) {
  test(`all of it is to be read and stands in nobody's way (${locale})`, async ({ browser }) => {
    test.setTimeout(180_000);
    const language = locale.slice(0, 2);
    const french = language === 'fr';
    const publisher = startPublisher(http, ROOM, KEY);
    const ada = await viewer(browser, 'Claire D.', PHONE, locale);
    const bob = await viewer(browser, 'Bob', DESK, locale);
    await expect(ada.locator('#page')).toHaveAttribute('data-scene', 'live', { timeout: 30_000 });
    await engage({ do: 'take_questions', on: true });
    await engage({
      do: 'open_poll',
      question: french ? 'Quel morceau jouons-nous pour finir la soirée ?' : 'Which song shall we play to end the evening?',
      options: french ? ['Nocturne', 'Le dernier métro de Belleville', 'Phalène', 'Une reprise'] : ['Nocturne', 'The last train to Belleville', 'Moth', 'A cover'],
      seconds: 600,
    });
    await option(bob, 'Belleville').click();
    await option(ada, 'Nocturne').click();
    await expect(share(ada, 'Nocturne')).toHaveText(french ? '50 %' : '50%');
    const sizes: [string, { width: number; height: number }][] = [
      ['390', PHONE],
      ['lying', LYING],
      ['1280', DESK],
      ['1440', { width: 1440, height: 900 }],
    ];
    const open = async (page: Page, name: string) => {
      if (name === 'lying' && (await page.locator('#page').getAttribute('data-chat')) !== 'open') await page.locator('#chat-toggle').click();
    };
    for (const [name, size] of sizes) {
      await ada.setViewportSize(size);
      await open(ada, name);
      await check(ada, `poll-${name}-${language}`);
    }
    for (const [page, text] of [
      [bob, french ? 'Est-ce que le vinyle existe aussi en couleur, et combien en reste-t-il ?' : 'Does the vinyl come in colour too, and how many are left?'],
      [ada, french ? 'Quel micro pour la voix ?' : 'Which microphone for the voice?'],
    ] as const) {
      await page.locator('#tab-questions').click();
      await page.locator('#question-text').fill(text);
      await page.locator('#question-text').press('Enter');
    }
    await expect(ada.locator('.question')).toHaveCount(2);
    await ada.locator('.question-key').first().click();
    await engage({ do: 'close_poll' });
    await engage({ do: 'dismiss_poll' });
    for (const [name, size] of sizes) {
      await ada.setViewportSize(size);
      await open(ada, name);
      await check(ada, `questions-${name}-${language}`);
    }
    await engage({ do: 'open_giveaway', prize: french ? 'Un vinyle Nocturne dédicacé' : 'A signed Nocturne vinyl', winners: 1 });
    await ada.locator('.giveaway .card-key').first().click();
    await expect(ada.locator('.giveaway .card-words')).toBeVisible();
    await check(ada, `giveaway-open-1440-${language}`);
    await engage({ do: 'draw' });
    await ada.locator('.fair summary').click();
    await ada.locator('.fair .card-key').click();
    await expect(ada.locator('.giveaway-verdict')).toContainText(french ? 'Le tirage est juste' : 'The draw holds');
    for (const [name, size] of sizes) {
      await ada.setViewportSize(size);
      await open(ada, name);
      await check(ada, `giveaway-${name}-${language}`);
    }
    await publisher.end();
    const ines = await moderator(browser, PHONE, locale);
    await engage({ do: 'open_poll', question: 'Encore ?', options: ['Oui', 'Non'], seconds: 60 });
    await expect(ines.locator('.en-bars')).toBeVisible();
    await check(ines, `moderate-390-${language}`);
    const wide = await moderator(browser, { width: 1180, height: 760 }, locale);
    await engage({ do: 'close_poll' });
    await check(wide, `moderate-1180-${language}`);
  });
}
