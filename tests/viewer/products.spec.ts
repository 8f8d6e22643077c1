/** Products: a host, a moderator with a phone and three viewers, in Chromium against the real server program. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Browser, type Page } from '../pages';
import { DESK, Host, LYING, PHONE, visitor } from './rooms';
import { median, startPublisher, startServer, type Program } from './support';

const KEY = 'a key for this test alone';
const ROOM = 'show';

let folder: string;
let server: Program;
let http: string;
let media: string;
let host: Host;

const extra = () => ['--database', join(folder, 'rooms.db')];

test.beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'products-'));
  ({ program: server, http, media } = await startServer(KEY, extra()));
  host = await Host.enter(http, ROOM, KEY);
});
test.afterEach(async () => {
  host.leave();
  await server.kill();
  rmSync(folder, { recursive: true, force: true });
});

async function viewer(browser: Browser, viewport = DESK, locale = 'en-GB'): Promise<Page> {
  const page = await visitor(browser, viewport, locale, viewport === PHONE);
  await page.goto(`http://${http}/watch/${ROOM}`);
  await expect(page.locator('#chat-form')).toBeAttached();
  return page;
}

async function moderator(browser: Browser, viewport = PHONE, locale = 'en-GB'): Promise<Page> {
  const page = await visitor(browser, viewport, locale, viewport === PHONE);
  await page.goto(await host.invite('Inès'));
  await page.locator('#tab-products').click();
  await expect(page.locator('.products')).toBeVisible();
  return page;
}

type Part = Record<string, unknown>;
const EUR = (minor: number, was?: number) => ({ minor, currency: 'EUR', digits: 2, ...(was === undefined ? {} : { was_minor: was }) });
const vinyl = (part: Part = {}): Part => ({
  id: 'vinyl',
  title: 'Vinyle Nocturne, dédicacé',
  note: 'Double vinyle, 300 exemplaires.',
  price: EUR(3230, 3800),
  promo_code: 'LIVE15',
  link: 'http://localhost:9/produit/vinyle?couleur=noir',
  stock: { is: 'low', left: 18 },
  ...part,
});
const shirt = (part: Part = {}): Part => ({ id: 'shirt', title: 'T-shirt, coton bio', price: EUR(2500), link: 'http://localhost:9/t-shirt', ...part });
const poster = (part: Part = {}): Part => ({ id: 'poster', title: 'Affiche 50 × 70', price: EUR(1800), link: 'http://localhost:9/affiche', ...part });

const set = (...list: Part[]) => host.act({ do: 'products', list });
const feature = (...products: string[]) => host.act({ do: 'feature', products });
const card = (page: Page, id = 'vinyl') => page.locator(`#featured [data-product="${id}"]`);
const row = (page: Page, id: string) => page.locator(`#shelf [data-product="${id}"]`);

/** Says when a card with these words is on the screen: after the picture in which it stands. */
function seen(page: Page, title: string): Promise<number> {
  return page.evaluate(
    (title) =>
      new Promise<number>((done) => {
        const list = document.getElementById('featured-list')!;
        const look = () => {
          if (![...list.querySelectorAll('.product-title')].some((one) => one.textContent === title)) return false;
          watch.disconnect();
          requestAnimationFrame(() => setTimeout(() => done(Date.now())));
          return true;
        };
        const watch = new MutationObserver(look);
        if (!look()) watch.observe(list, { subtree: true, childList: true, characterData: true });
      }),
    title,
  );
}

test('a moderator with a phone features, and three viewers see it', async ({ browser }) => {
  await set(vinyl(), shirt(), poster());
  const ines = await moderator(browser);
  const viewers = [await viewer(browser), await viewer(browser, PHONE), await viewer(browser, LYING)];
  for (const page of viewers) await expect(page.locator('#featured')).toBeHidden();
  const titles: [string, string][] = [
    ['T-shirt, coton bio', 'shirt'],
    ['Vinyle Nocturne, dédicacé', 'vinyl'],
    ['Affiche 50 × 70', 'poster'],
  ];
  await ines.evaluate(() => addEventListener('click', () => Object.assign(window, { clickedAt: Date.now() }), { capture: true }));
  const waits: number[] = [];
  for (let round = 0; round < 10; round++) {
    const [title] = titles[round % titles.length]!;
    const all = viewers.map((page) => seen(page, title));
    // Each look is in its page before the finger comes down.
    await Promise.all(viewers.map((page) => page.evaluate(() => 1)));
    await ines.getByRole('button', { name: `Feature ${title}`, exact: true }).tap();
    const times = await Promise.all(all);
    const clicked = await ines.evaluate(() => (window as unknown as { clickedAt: number }).clickedAt);
    waits.push(...times.map((at) => at - clicked));
    for (const page of viewers) await expect(page.locator('#featured .product')).toHaveCount(1);
  }
  const sorted = [...waits].sort((a, b) => a - b);
  const figures = `median ${median(sorted)}, worst ${sorted.at(-1)} of ${sorted.length}`;
  test.info().annotations.push({ type: 'featured to seen, ms', description: figures });
  console.log('featured to seen, ms:', figures);

  await ines.getByRole('button', { name: 'Add Vinyle Nocturne, dédicacé to what is on show' }).tap();
  for (const page of viewers) await expect(page.locator('#featured .product')).toHaveCount(2);
  await ines.getByRole('button', { name: 'Take off Vinyle Nocturne, dédicacé' }).tap();
  for (const page of viewers) await expect(card(page)).toHaveCount(0);
  await ines.locator('.toast').getByRole('button', { name: 'Undo' }).tap();
  for (const page of viewers) await expect(card(page)).toBeVisible();
});

test('number keys feature at once, except where one writes', async ({ browser }) => {
  await set(vinyl(), shirt(), poster());
  const ines = await moderator(browser, { width: 1180, height: 760 });
  const ada = await viewer(browser);
  await ines.keyboard.press('2');
  await expect(card(ada, 'shirt')).toBeVisible();
  await ines.locator('#moderate-text').fill('Taille ');
  await ines.locator('#moderate-text').press('3');
  await expect(ines.locator('#moderate-text')).toHaveValue('Taille 3');
  await expect(card(ada, 'shirt'), 'writing a figure features nothing').toBeVisible();
  await ines.locator('.log').focus();
  await ines.keyboard.press('1');
  await expect(card(ada)).toBeVisible();
  await expect(card(ada, 'shirt')).toHaveCount(0);
  await ines.keyboard.press('0');
  await expect(ada.locator('#featured')).toBeHidden();
  await ines.getByRole('switch', { name: /Keys 1–9/ }).click();
  await ines.keyboard.press('1');
  await ines.locator('#tab-log').click();
  await expect(ines.locator('.row').first()).toContainText('Took Vinyle Nocturne, dédicacé off');
  await expect(ada.locator('#featured')).toBeHidden();
});

test('the card has price, code and a way to the shop that carries the show', async ({ browser }) => {
  await set(vinyl(), shirt());
  await feature('vinyl');
  const ada = await viewer(browser);
  await expect(card(ada).locator('.product-price b')).toHaveText('€32.30');
  await expect(card(ada).locator('s')).toHaveText('€38.00');
  await expect(card(ada).locator('.product-left')).toHaveText('Only 18 left.');
  const cart = card(ada).getByRole('link', { name: 'Add to cart: Vinyle Nocturne, dédicacé' });
  const show = 'utm_source=streamcore&utm_medium=live&utm_campaign=show';
  await expect(cart).toHaveAttribute('href', `http://localhost:9/produit/vinyle?couleur=noir&${show}`);
  await expect(cart).toHaveAttribute('rel', 'noopener');
  await expect(cart).toHaveAttribute('target', '_blank');
  await ada.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await card(ada).getByRole('button', { name: 'Copy the code LIVE15' }).click();
  await expect(ada.locator('#products-said')).toHaveText('The code is copied.');
  expect(await ada.evaluate(() => navigator.clipboard.readText())).toBe('LIVE15');

  // The list stands beside the chat, by keyboard too.
  await ada.locator('#tab-talk').focus();
  await ada.keyboard.press('ArrowRight');
  await expect(ada.locator('#tab-shelf')).toBeFocused();
  await expect(row(ada, 'shirt')).toBeVisible();
  await expect(ada.locator('#chat-form')).toBeHidden();
  await ada.keyboard.press('ArrowLeft');
  await expect(ada.locator('#chat-form')).toBeVisible();
  await ada.getByRole('button', { name: 'Français' }).click();
  await expect(card(ada).locator('.product-price b')).toHaveText(/^32,30\s€$/u);
  await expect(card(ada).getByText('Ajouter au panier')).toBeVisible();
});

test('what is sold out says so, and stays', async ({ browser }) => {
  await set(vinyl(), shirt());
  await feature('vinyl');
  const ada = await viewer(browser, PHONE);
  await expect(card(ada).getByText('Add to cart')).toBeVisible();
  await host.act({ do: 'product', product: vinyl({ stock: { is: 'sold_out' } }) });
  await expect(card(ada).getByText('Sold out')).toBeVisible();
  await expect(card(ada).getByText('Add to cart')).toBeHidden();
  await expect(card(ada).getByText('LIVE15')).toBeHidden();
  await expect(ada.locator('#products-said')).toHaveText('Sold out: Vinyle Nocturne, dédicacé');
  await host.act({ do: 'product', product: vinyl() });
  await expect(card(ada).getByText('Add to cart')).toBeVisible();
});

test('a countdown takes the offer off by the server’s clock', async ({ browser }) => {
  const ada = await visitor(browser);
  // This visitor's clock is a year ahead: by it the offer would be over long ago.
  await ada.addInitScript(() => {
    const real = Date.now;
    Date.now = () => real() + 365 * 24 * 3600 * 1000;
  });
  await ada.goto(`http://${http}/watch/${ROOM}`);
  await expect(ada.locator('#chat-as')).toBeVisible();
  await set(vinyl({ ends_at_ms: Date.now() + 6000 }));
  await feature('vinyl');
  await expect(card(ada).getByRole('timer')).toHaveText(/00:0[1-6]$/);
  await expect(card(ada).getByText('LIVE15')).toBeVisible();
  await expect(card(ada).getByText('LIVE15')).toBeHidden({ timeout: 15_000 });
  await expect(card(ada).getByRole('timer')).toBeHidden();
  await expect(card(ada).locator('.product-price b')).toHaveText('€38.00');
  await expect(ada.locator('#products-said')).toHaveText('The offer for Vinyle Nocturne, dédicacé is over.');
});

test('clicks and carts reach the crew, each viewer once a minute, and a killed server forgets none', async ({ browser }) => {
  await set(vinyl(), shirt());
  await feature('vinyl');
  const ines = await moderator(browser);
  const [ada, bob] = [await viewer(browser), await viewer(browser, PHONE)];
  const counts = ines.locator('.products .row', { hasText: 'Vinyle' }).locator('.counts');
  await expect(counts).toHaveText('Clicks 0 · Carts 0');
  const shop = ada.context().waitForEvent('page');
  await card(ada).getByText('Add to cart').click();
  await shop;
  await expect(counts).toHaveText('Clicks 0 · Carts 1');
  await card(bob).getByText('Add to cart').tap();
  await expect(counts).toHaveText('Clicks 0 · Carts 2');
  await card(ada).locator('.product-title a').click();
  await expect(counts).toHaveText('Clicks 1 · Carts 2');

  await server.kill();
  ({ program: server } = await startServer(KEY, extra(), http, media));
  host = await Host.enter(http, ROOM, KEY);
  const later = await moderator(browser);
  await expect(later.locator('.counts').first()).toHaveText('Clicks 1 · Carts 2');
  await expect(card(await viewer(browser))).toBeVisible();
});

test('markup in products stays text', async ({ browser }) => {
  const corpus = [
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '"><svg onload=alert(1)>',
    "javascript:alert(1)//'",
    '{{constructor.constructor("alert(1)")()}}',
    '&lt;b&gt;&#60;i&#62;',
  ];
  await set(...corpus.map((text, at) => vinyl({ id: `x${at}"><b>`, title: text, note: text, promo_code: text.slice(0, 40), stock: { is: 'in_stock' } })));
  await feature('x0"><b>', 'x1"><b>', 'x2"><b>');
  const ada = await viewer(browser);
  const ines = await moderator(browser);
  await expect(ada.locator('#featured .product')).toHaveCount(3);
  await ada.locator('#tab-shelf').click();
  await expect(ada.locator('#shelf .product')).toHaveCount(corpus.length);
  expect(await ada.locator('#shelf .product-title').allTextContents()).toEqual(corpus);
  expect(await ada.locator('#shelf .product-note span:first-child').allTextContents()).toEqual(corpus);
  expect(await ada.locator('#shelf .product-code span').allTextContents()).toEqual(corpus.map((text) => text.slice(0, 40)));
  expect(await ines.locator('.products b').allTextContents()).toEqual(corpus);
  for (const page of [ada, ines]) {
    await expect(page.locator(':is(.product, .products) :is(script, iframe, b b, svg[onload], img[onerror])')).toHaveCount(0);
  }
  await expect(host.act({ do: 'products', list: [vinyl({ link: 'javascript:alert(1)' })] }), 'no such link').rejects.toThrow('link');
});

/** A picture as a shop has it: 300 × 300, drawn by the browser. */
async function drawn(page: Page, colours: [string, string]): Promise<Buffer> {
  const url = await page.evaluate(([sleeve, disc]) => {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 300;
    const c = canvas.getContext('2d')!;
    c.fillStyle = '#efe6dc';
    c.fillRect(0, 0, 300, 300);
    c.fillStyle = '#141419';
    c.beginPath();
    c.arc(190, 150, 100, 0, 7);
    c.fill();
    c.fillStyle = sleeve;
    c.fillRect(25, 40, 200, 220);
    c.fillStyle = disc;
    c.beginPath();
    c.arc(125, 140, 60, 0, 7);
    c.fill();
    return canvas.toDataURL('image/png');
  }, colours);
  return Buffer.from(url.split(',')[1]!, 'base64');
}

for (const locale of ['en-GB', 'fr-FR']) {
  test(`products stand in nobody's way, on phone and desk (${locale})`, async ({ browser }) => {
    test.setTimeout(180_000);
    const language = locale.slice(0, 2);
    const publisher = startPublisher(http, ROOM, KEY);
    const ada = await viewer(browser, PHONE, locale);
    const [one, two] = [await host.image(await drawn(ada, ['#2a1555', '#f0687f'])), await host.image(await drawn(ada, ['#0c3a33', '#e3cf9d']))];
    await set(
      vinyl({ image: one, ends_at_ms: Date.now() + 252_000 }),
      shirt({ image: two, note: 'Du XS au XXL, taille normalement. Cousu à Roubaix.' }),
      poster({ stock: { is: 'sold_out' }, image: one }),
      { id: 'mug', title: 'Tasse émaillée Nocturne, édition limitée du vingtième anniversaire de la tournée', price: EUR(1450, 1900), promo_code: 'TASSE-20-ANS', link: 'http://localhost:9/tasse' },
      { id: 'later', title: 'Bientôt', stock: { is: 'in_stock' } },
    );
    const check = async (page: Page, name: string) => {
      // Everything that moves in has come to rest, and pictures are there.
      await page.waitForTimeout(300);
      await page.screenshot({ path: `artifacts/products-${name}-${language}.png` });
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target).join(' ')}`), name).toEqual([]);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(overflow, name).toBeLessThanOrEqual(0);
    };
    const sizes: [string, { width: number; height: number }][] = [
      ['390', PHONE],
      ['lying', LYING],
      ['1440', { width: 1440, height: 900 }],
      ['1180', { width: 1180, height: 760 }],
    ];
    await expect(ada.locator('#page')).toHaveAttribute('data-scene', 'live', { timeout: 30_000 });
    const say = async (text: string) => {
      await ada.locator('#chat-text').fill(text);
      await ada.locator('#chat-text').press('Enter');
    };
    await say('Le son est incroyable au casque');
    await ada.locator('#chat-name').fill('Claire D.');
    await ada.locator('#chat-name').press('Enter');
    await say('On vous a vus à La Cigale en mars, quel souvenir');
    for (const [count, ids] of [
      ['one', ['vinyl']],
      ['three', ['vinyl', 'shirt', 'poster']],
    ] as const) {
      await feature(...ids);
      await expect(ada.locator('#featured .product')).toHaveCount(ids.length);
      for (const [name, size] of sizes) {
        await ada.setViewportSize(size);
        await check(ada, `${count}-${name}`);
      }
    }
    await feature('vinyl');
    for (const [name, size] of sizes) {
      await ada.setViewportSize(size);
      if (name === 'lying') await ada.locator('#chat-toggle').click();
      await ada.locator('#tab-shelf').click();
      await check(ada, `list-${name}`);
    }
    await ada.locator('#tab-talk').click();
    await publisher.end();
    await ada.context().close();

    const ines = await moderator(browser, PHONE, locale);
    await feature('vinyl', 'shirt');
    await expect(ines.locator('.products .on')).toHaveCount(2);
    await check(ines, 'moderate-390');
    const desk = await moderator(browser, { width: 1180, height: 760 }, locale);
    await check(desk, 'moderate-1180');
  });
}
