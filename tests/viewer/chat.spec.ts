/** The chat of the viewer page and the moderators' page in Chromium, against the real server program. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Browser, type Page } from '../pages';
import { DESK, PHONE, hostToken } from './rooms';
import { startServer, type Program } from './support';

const KEY = 'a key for this test alone';
const ROOM = 'show';

let folder: string;
let server: Program;
let http: string;
let media: string;

const extra = () => ['--database', join(folder, 'rooms.db')];

test.beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'chat-'));
  ({ program: server, http, media } = await startServer(KEY, extra()));
});
test.afterEach(async () => {
  await server.kill();
  rmSync(folder, { recursive: true, force: true });
});

/** A viewer of its own, with its own storage. */
async function viewer(browser: Browser, name: string | undefined, viewport = DESK, locale = 'en-GB'): Promise<Page> {
  const context = await browser.newContext({ viewport, locale });
  const page = await context.newPage();
  page.on('dialog', () => expect(true, 'a dialog opened').toBe(false));
  if (name !== undefined) {
    await page.addInitScript((name) => localStorage.setItem('streamcore.chat.name', name), name);
  }
  await page.goto(`http://${http}/watch/${ROOM}`);
  await expect(page.locator('#chat-as')).toBeVisible();
  return page;
}

async function moderator(browser: Browser, viewport = PHONE, locale = 'en-GB'): Promise<Page> {
  const context = await browser.newContext({ viewport, locale, hasTouch: viewport === PHONE });
  const page = await context.newPage();
  page.on('dialog', () => expect(true, 'a dialog opened').toBe(false));
  await page.goto(`http://${http}/moderate/${ROOM}#token=${await hostToken(http, ROOM, KEY)}`);
  await expect(page.locator('#moderate-text')).toBeVisible();
  await expect(page.locator('#moderate-text')).toHaveAttribute('placeholder', /Maya/);
  return page;
}

const box = (page: Page) => page.locator('#chat-text');
const said = (page: Page, text: string) => page.locator('.msg', { has: page.locator('.said', { hasText: text }) });

async function say(page: Page, text: string): Promise<void> {
  await box(page).fill(text);
  await box(page).press('Enter');
}

/** Opens what can be done with a message, by touch. */
async function open(page: Page, text: string): Promise<void> {
  await said(page, text).locator('.said').tap();
  await expect(page.locator('.acts')).toBeVisible();
}

test('two viewers talk, with a name that is chosen once', async ({ browser }) => {
  const ada = await viewer(browser, undefined);
  const bob = await viewer(browser, 'Bob');
  await say(ada, 'Hello from Lyon');
  const name = ada.getByLabel('How shall the others call you?');
  await expect(name, 'asked before the first message').toBeFocused();
  await name.fill('Ada');
  await name.press('Enter');
  await expect(said(bob, 'Hello from Lyon').locator('.who')).toHaveText('Ada');
  await expect(box(ada)).toHaveValue('');

  const waits: number[] = [];
  for (let i = 0; i < 5; i++) {
    await box(ada).fill(`number ${i}`);
    const seen = said(bob, `number ${i}`).waitFor();
    const began = performance.now();
    await box(ada).press('Enter');
    await seen;
    waits.push(Math.round(performance.now() - began));
    await ada.waitForTimeout(400);
  }
  test.info().annotations.push({ type: 'said to seen, ms', description: waits.join(' ') });
  console.log('said to seen, ms:', waits.join(' '));
  expect(Math.min(...waits), `of ${waits.join(', ')}`).toBeLessThan(500);

  await said(bob, 'Hello from Lyon').focus();
  await bob.keyboard.press('r');
  await expect(box(bob)).toBeFocused();
  await say(bob, 'Bonsoir @Ada, see https://example.org/a?b=1.');
  // Links wait for a moderator; the words say so.
  await expect(bob.locator('#chat-note')).toContainText('moderator');
  await said(bob, 'Hello from Lyon').focus();
  await bob.keyboard.press('r');
  await say(bob, 'Bonsoir @Ada');
  const answer = said(ada, 'Bonsoir @Ada');
  await expect(answer).toHaveClass(/for-you/);
  await expect(answer.locator('.quote')).toContainText('Hello from Lyon');
  await expect(said(bob, 'Bonsoir @Ada')).toHaveClass(/own/);

  // The name stays with the browser.
  await ada.reload();
  await expect(ada.locator('#chat-as')).toContainText('Ada');
  await expect(said(ada, 'Hello from Lyon')).toHaveClass(/own/);
});

test('a moderator with a phone keeps order, and can take it back', async ({ browser }) => {
  const ada = await viewer(browser, 'Ada');
  const bob = await viewer(browser, 'Bob');
  const maya = await moderator(browser);
  expect(maya.url(), 'the token is not in the address').not.toContain('token');
  await say(ada, 'pin me');
  await say(bob, 'delete me');
  await open(maya, 'pin me');
  await maya.getByRole('button', { name: 'Pin', exact: true }).tap();
  await expect(bob.locator('#chat-pin')).toContainText('Pinned by Maya. pin me');

  await open(maya, 'delete me');
  await maya.getByRole('button', { name: 'Delete', exact: true }).tap();
  await expect(said(ada, 'delete me')).toHaveCount(0);
  await expect(maya.locator('.toast')).toContainText('Bob’s message is deleted.');
  await maya.locator('.toast').getByRole('button', { name: 'Undo' }).tap();
  await expect(said(ada, 'delete me')).toHaveCount(1);

  await box(bob).fill('half a sentence');
  await open(maya, 'delete me');
  await maya.getByRole('button', { name: /Time out for 5/ }).tap();
  await expect(bob.locator('#chat-rule')).toContainText(/You can write again in (5|4) min/);
  await expect(box(bob)).toBeDisabled();
  await expect(box(bob), 'what was typed stays').toHaveValue('half a sentence');
  await maya.getByRole('tab', { name: 'People' }).tap();
  await maya.getByRole('button', { name: 'Lift' }).tap();
  await expect(box(bob)).toBeEnabled();

  await maya.getByRole('tab', { name: 'Chat' }).tap();
  await open(maya, 'delete me');
  await maya.getByRole('button', { name: 'Ban', exact: true }).tap();
  await expect(bob.locator('#chat-rule')).toContainText('You can no longer write in this chat.');

  await maya.getByRole('tab', { name: 'Log' }).tap();
  await expect(maya.locator('.row').first()).toContainText('Banned Bob');
  await maya.getByRole('button', { name: 'Undo: Banned Bob' }).tap();
  await expect(box(bob)).toBeEnabled();

  await maya.getByRole('tab', { name: 'Rules' }).tap();
  await maya.getByRole('switch', { name: 'Only host and moderators write' }).tap();
  await expect(ada.locator('#chat-rule')).toContainText('Only the host and moderators write for now.');
  await maya.getByRole('switch', { name: 'Only host and moderators write' }).tap();
  await expect(box(ada)).toBeEnabled();
  await maya.getByRole('switch', { name: 'Emoji only' }).tap();
  await expect(ada.locator('#chat-rule')).toContainText('Emoji only');
  await say(ada, 'words');
  await expect(ada.locator('#chat-note')).toContainText('emoji only');
  await expect(box(ada), 'a refused message stays').toHaveValue('words');
  await maya.getByRole('switch', { name: 'Emoji only' }).tap();

  await maya.getByLabel('Blocked words, one per line').fill('cheap\nspam');
  await maya.getByRole('button', { name: 'Keep the words' }).tap();
  await expect(maya.locator('.toast')).toContainText('The rules are changed.');
  await say(ada, 'look at https://nightferry.example/tour');
  await expect(ada.locator('#chat-note')).toContainText('A moderator looks at your message');
  await say(bob, 'very cheap copies');
  await maya.getByRole('tab', { name: /Held/ }).tap();
  await expect(maya.locator('.card')).toHaveCount(2);
  await maya.screenshot({ path: 'artifacts/moderate-held-390.png' });
  await maya.locator('.card', { hasText: 'nightferry' }).getByRole('button', { name: 'Allow' }).tap();
  const link = said(bob, 'nightferry').getByRole('link');
  await expect(link).toHaveAttribute('href', 'https://nightferry.example/tour');
  await expect(link).toHaveAttribute('rel', 'noopener noreferrer nofollow ugc');
  await maya.locator('.card', { hasText: 'cheap' }).getByRole('button', { name: 'Refuse' }).tap();
  await expect(maya.locator('.card')).toHaveCount(0);

  await maya.getByRole('tab', { name: 'Rules' }).tap();
  await maya.getByRole('button', { name: 'Clear the chat' }).tap();
  await maya.getByRole('button', { name: 'Clear now' }).tap();
  await expect(ada.locator('.msg')).toHaveCount(0);
  await maya.locator('.toast').getByRole('button', { name: 'Undo' }).tap();
  await expect(said(ada, 'pin me')).toHaveCount(1);
});

test('the host saves what is kept of a viewer, forgets it, and says how long anything is kept', async ({ browser }) => {
  const [ada, bob] = [await viewer(browser, 'Ada'), await viewer(browser, 'Bob')];
  const maya = await moderator(browser);
  await say(ada, 'I live in Rue des Fleurs');
  await say(bob, 'nice street');
  await said(maya, 'Rue des Fleurs').locator('.msg-body').tap();
  const saving = maya.waitForEvent('download');
  await maya.getByRole('button', { name: 'Save as a file' }).tap();
  const file = await (await saving).path();
  const data = JSON.parse(readFileSync(file, 'utf8')) as { messages: { text: string }[] };
  expect(data.messages.map((message) => message.text)).toEqual(['I live in Rue des Fleurs']);
  await maya.getByRole('button', { name: 'Forget', exact: true }).tap();
  await expect(maya.locator('.acts')).toContainText('All that Ada has said goes for good');
  await maya.screenshot({ path: 'artifacts/moderate-forget-390.png' });
  const began = performance.now();
  await maya.getByRole('button', { name: 'Forget for good' }).tap();
  await expect(said(bob, 'Rue des Fleurs')).toHaveCount(0);
  console.log('forgotten to gone at a viewer’s, ms:', Math.round(performance.now() - began));
  await expect(said(maya, 'Rue des Fleurs')).toHaveCount(0);
  await expect(said(bob, 'nice street')).toHaveCount(1);
  await maya.getByRole('tab', { name: 'Rules' }).tap();
  await maya.getByLabel('Keep messages and log for').selectOption('7');
  await expect(maya.locator('.toast')).toContainText('The rules are changed.');
  await maya.reload();
  await maya.getByRole('tab', { name: 'Rules' }).tap();
  await expect(maya.getByLabel('Keep messages and log for')).toHaveValue('7');
});

test('an invited moderator works by keyboard, searches, and is one no more when the host says so', async ({ browser }) => {
  const ada = await viewer(browser, 'Ada');
  const maya = await moderator(browser, { width: 1180, height: 760 });
  for (const text of ['first words', 'second words', 'something else']) await say(ada, text);
  await maya.getByRole('tab', { name: 'People' }).click();
  await maya.getByLabel('Invite a moderator: their name').fill('Inès');
  await maya.getByRole('button', { name: 'Invite' }).click();
  const link = await maya.locator('#moderate-link').inputValue();
  expect(link).toContain(`/moderate/${ROOM}#token=`);

  const context = await browser.newContext({ viewport: { width: 1180, height: 760 }, locale: 'en-GB' });
  const ines = await context.newPage();
  await ines.goto(link);
  await expect(said(ines, 'something else')).toBeVisible();
  await ines.locator('.log').focus();
  await ines.keyboard.press('ArrowUp');
  await ines.keyboard.press('ArrowUp');
  await ines.keyboard.press('d');
  await expect(said(ada, 'second words')).toHaveCount(0);
  await ines.keyboard.press('u');
  await expect(said(ada, 'second words')).toHaveCount(1);
  await ines.locator('#moderate-text').fill('Welcome, Ada');
  await ines.keyboard.press('Enter');
  await expect(said(ada, 'Welcome, Ada').locator('.role')).toHaveText('Moderator');

  await ines.getByRole('button', { name: 'Search' }).click();
  await ines.getByRole('searchbox').fill('words');
  await ines.keyboard.press('Enter');
  await expect(ines.locator('.msg')).toHaveCount(2);
  await ines.getByRole('button', { name: 'Back to the live chat' }).click();
  await expect(ines.locator('.msg')).toHaveCount(4);
  await ines.getByRole('tab', { name: 'People' }).click();
  await expect(ines.getByText('Invite a moderator'), 'the host’s alone').toHaveCount(0);

  await maya.reload();
  await maya.getByRole('tab', { name: 'People' }).click();
  await maya.getByRole('button', { name: 'Take back Inès’s invitation' }).click();
  await expect(ines.getByRole('main')).toContainText('This link holds no more.');
});

test('a killed server loses and repeats nothing', async ({ browser }) => {
  const ada = await viewer(browser, 'Ada');
  const bob = await viewer(browser, 'Bob', PHONE);
  for (const i of [1, 2, 3]) await say(ada, `before ${i}`);
  await expect(said(bob, 'before 3')).toBeVisible();
  await server.kill();
  await expect(bob.locator('#chat-state')).toContainText('The chat reconnects.');
  await box(ada).fill('typed while it was away');
  ({ program: server } = await startServer(KEY, extra(), http, media));
  await expect(bob.locator('#chat-state')).toHaveText('', { timeout: 15_000 });
  await expect(ada.locator('#chat-state')).toHaveText('', { timeout: 15_000 });
  await box(ada).press('Enter');
  await expect(said(bob, 'typed while it was away')).toHaveCount(1);
  const texts = await bob.locator('.msg .said').allTextContents();
  expect(texts.map((text) => text.replace(/^Ada /, ''))).toEqual(['before 1', 'before 2', 'before 3', 'typed while it was away']);
});

test('whoever reads above is told of new messages and not moved', async ({ browser }) => {
  const ada = await viewer(browser, 'Ada');
  const maya = await moderator(browser);
  const text = maya.locator('#moderate-text');
  for (let i = 0; i < 40; i++) {
    await text.fill(`line ${i}`);
    await text.press('Enter');
    await expect(text).toHaveValue('');
  }
  await expect(said(ada, 'line 39')).toBeInViewport();
  await ada.locator('#chat-log').evaluate((log) => (log.scrollTop = 0));
  await text.fill('a new one');
  await text.press('Enter');
  const newer = ada.getByRole('button', { name: '1 new message' });
  await expect(newer).toBeVisible();
  await newer.click();
  await expect(said(ada, 'a new one')).toBeInViewport();
  await expect(newer).toBeHidden();
});

test('markup in words and names stays text', async ({ browser }) => {
  const corpus = [
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '"><svg onload=alert(1)>',
    '<a href="javascript:alert(1)">x</a>',
    'javascript:alert(1)',
    '{{constructor.constructor("alert(1)")()}}',
    '&lt;b&gt;&#60;i&#62;',
    '<iframe srcdoc="<script>alert(1)</script>">',
  ];
  const maya = await moderator(browser);
  const ada = await viewer(browser, '<img src=x onerror=alert(1)>');
  // What looks like an address would wait.
  await maya.getByRole('tab', { name: 'Rules' }).tap();
  await maya.getByRole('switch', { name: 'Hold messages with links' }).tap();
  await maya.getByRole('tab', { name: 'Chat' }).tap();
  for (const text of corpus) {
    await say(ada, text);
    await expect(box(ada)).toHaveValue('', { timeout: 5000 });
    await ada.waitForTimeout(400);
  }
  for (const page of [ada, maya]) {
    await expect(page.locator('.msg')).toHaveCount(corpus.length);
    const shown = await page.locator('.said').allTextContents();
    corpus.forEach((text, at) => expect(shown[at]).toContain(text));
    const strange = page.locator('.said :not(span, a), .said a, .who *');
    await expect(strange).toHaveCount(0);
    expect(await page.locator('.who').first().textContent()).toBe('<img src=x onerror=alert(1)>');
  }
});

for (const locale of ['en-GB', 'fr-FR']) {
  test(`nothing stands in the way of a screen reader (${locale})`, async ({ browser }) => {
    const language = locale.slice(0, 2);
    const maya = await moderator(browser, { width: 1180, height: 760 }, locale);
    const ada = await viewer(browser, 'Claire D.', DESK, locale);
    const bob = await viewer(browser, 'kimo_88', PHONE, locale);
    await say(ada, 'Le son est incroyable au casque');
    await say(bob, 'Bonsoir de Bruxelles !');
    await expect(said(ada, 'Bruxelles')).toBeVisible();
    await said(ada, 'Bruxelles').focus();
    await ada.keyboard.press('r');
    await say(ada, 'Et bonsoir @kimo_88, on vous a vus à La Cigale en mars, quel souvenir');
    await maya.locator('#moderate-text').fill('Les vinyles partent lundi. Code LIVE15 jusqu’au rappel: https://nightferry.example/tour');
    await maya.keyboard.press('Enter');
    await expect(said(maya, 'vinyles')).toBeVisible();
    await maya.locator('.log').focus();
    await maya.keyboard.press('ArrowUp');
    await maya.keyboard.press('p');
    await say(bob, 'cheap copies on https://evil.example');
    await expect(bob.locator('#chat-pin')).toBeVisible();
    const check = async (page: Page, name: string) => {
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target).join(' ')}`), name).toEqual([]);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(overflow, name).toBeLessThanOrEqual(0);
      await page.screenshot({ path: `artifacts/chat-${name}-${language}.png` });
    };
    await check(ada, 'viewer-1280');
    await check(bob, 'viewer-390');
    await bob.setViewportSize({ width: 844, height: 390 });
    await bob.locator('#chat-toggle').click();
    await check(bob, 'viewer-lying');
    await bob.setViewportSize({ width: 390, height: 460 });
    await box(bob).focus();
    await check(bob, 'viewer-typing');
    for (const size of [PHONE, { width: 1180, height: 760 }]) {
      await maya.setViewportSize(size);
      if (size === PHONE) await maya.locator('#tab-chat').click();
      await said(maya, 'Bruxelles').locator('.said').click();
      await check(maya, `moderate-${size.width}`);
      for (const tab of ['people', 'rules', 'log', 'held']) {
        await maya.locator(`#tab-${tab}`).click();
        await check(maya, `moderate-${size.width}-${tab}`);
      }
      if (size === PHONE) await maya.locator('#tab-chat').click();
      else await said(maya, 'Bruxelles').locator('.said').click();
    }
  });
}
