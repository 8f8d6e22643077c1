/** Tips and tickets in browsers: viewers pay on the stand-in's page, and everybody sees what follows. */
import { mkdirSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Browser, type Page } from '../pages';
import { DESK, PHONE, visitor } from '../viewer/rooms';
import { scene, startPublisher, type Program } from '../viewer/support';
import { Business, KEY, Member, ROOM } from './server';

const PICTURES = 'artifacts/money';
let business: Business;
let publisher: Program | undefined;

test.beforeAll(() => void mkdirSync(PICTURES, { recursive: true }));
test.beforeEach(async () => {
  business = await Business.open();
});
test.afterEach(async () => {
  await publisher?.kill();
  publisher = undefined;
  await business.close();
});

const watch = () => `http://${business.http}/watch/${ROOM}`;

async function viewer(browser: Browser, name: string, viewport = DESK, locale = 'en-GB'): Promise<Page> {
  const page = await visitor(browser, viewport, locale, viewport === PHONE);
  await page.addInitScript((name) => localStorage.setItem('streamcore.chat.name', name), name);
  await page.goto(watch());
  return page;
}

async function goLive(): Promise<void> {
  publisher = startPublisher(business.http, ROOM, KEY);
  await expect.poll(async () => ((await (await fetch(`http://${business.http}/api/rooms/${ROOM}`)).json()) as { state: string }).state, { timeout: 20_000 }).toBe('live');
}

async function clean(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: `${PICTURES}/${name}.png` });
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`), name).toEqual([]);
}

test('a viewer tips; every other viewer sees it when Stripe has said so, and the goal comes nearer', async ({ browser }) => {
  const host = await Member.host(business);
  await host.act({ is: 'goal', label: 'A new mixing desk', minor: 50_000, currency: 'EUR' });
  const [ada, bob, cleo] = [await viewer(browser, 'Ada'), await viewer(browser, 'Bob'), await viewer(browser, 'Cleo', PHONE, 'fr-FR')];
  await expect(ada.locator('#tip-test'), 'test mode says so').toBeVisible();
  await ada.getByRole('button', { name: 'Support' }).click();
  const box = ada.getByRole('dialog', { name: 'Support the show' });
  await expect(box).toContainText('no real money');
  await box.getByRole('radio', { name: '€20.00' }).check();
  const hostile = '<img src=x onerror=alert(1)> {name} Bravo';
  await box.getByLabel('A few words, if you like').fill(hostile);
  const [checkout] = await Promise.all([ada.waitForEvent('popup'), box.getByRole('button', { name: 'Pay €20.00' }).click()]);
  await expect(box).toContainText('in the new tab');
  await expect(checkout.getByRole('heading')).toHaveText('20.00 eur');
  await expect(bob.locator('.msg.tip'), 'nothing is shown before it is paid').toHaveCount(0);
  const seen = [bob, cleo, ada].map(async (page) => {
    await page.locator('.msg.tip').waitFor({ state: 'attached' });
    return performance.now();
  });
  const began = performance.now();
  await checkout.getByRole('button', { name: 'Pay' }).click();
  const times = (await Promise.all(seen)).map((at) => Math.round(at - began));
  console.log('paid to seen by three viewers, ms:', times.join(' '));
  await expect(bob.locator('.msg.tip')).toContainText('€20.00 from Ada');
  await expect(bob.locator('.tip-words')).toHaveText(hostile);
  expect(await bob.locator('.msg.tip img').count(), 'text, never markup').toBe(0);
  await expect(cleo.locator('.msg.tip')).toContainText(/20,00\s€ de Ada/);
  await expect(bob.locator('#goal')).toContainText('€20.00 of €500.00');
  await expect(box, 'the dialog has done its work').toBeHidden();
  await expect(checkout.locator('#money-said')).toContainText('Thank you');
  expect(checkout.url()).toBe(watch());
  await expect.poll(() => host.paid('booked').length).toBe(1);
  await bob.reload();
  await expect(bob.locator('.msg.tip'), 'and is there for whoever comes later').toContainText('€20.00 from Ada');
  // Any amount within limits, and what is none is said.
  await bob.getByRole('button', { name: 'Support' }).click();
  const other = bob.getByLabel('Amount in EUR');
  for (const none of ['0.5', '501', 'a lot', '1.234']) {
    await other.fill(none);
    await bob.getByRole('button', { name: /^Pay/ }).click();
    await expect(bob.locator('#tip-why')).toContainText('between €1.00 and €500.00');
  }
  await other.fill('7,50');
  await expect(bob.getByRole('button', { name: 'Pay €7.50' })).toBeEnabled();
  await bob.keyboard.press('Escape');
  await expect(bob.getByRole('dialog')).toHaveCount(0);
});

test('a ticket: no picture, pay, the picture plays; another device by the link; refunded, it ends', async ({ browser }) => {
  test.setTimeout(120_000);
  const host = await Member.host(business);
  await goLive();
  const early = await viewer(browser, 'Early');
  await expect.poll(() => scene(early), { timeout: 20_000 }).toBe('live');
  await host.act({ is: 'price', minor: 1500, currency: 'EUR' });
  await expect(early.getByRole('button', { name: 'Buy a ticket for €15.00' }), 'who has none is shown out').toBeVisible();
  await expect(early.locator('#chat-state')).toContainText('needs a ticket');

  const ada = await viewer(browser, 'Ada');
  const buy = ada.getByRole('button', { name: 'Buy a ticket for €15.00' });
  await expect(buy).toBeVisible();
  await expect(ada.locator('#office-test')).toContainText('no real money');
  expect(await ada.evaluate(() => window.__streamcore.firstPictureMs), 'no picture').toBeUndefined();
  await buy.click();
  await ada.waitForURL(/\/pay\//);
  business.stripe.speaks = false;
  await ada.getByRole('button', { name: 'Pay' }).click();
  await expect(ada.getByRole('heading', { name: 'Confirming your payment' }), 'the way back proves nothing').toBeVisible();
  expect(ada.url(), 'the code does not stay in the address').toBe(watch());
  await expect(ada.locator('#office-buy')).toBeHidden();
  const session = [...business.stripe.sessions.values()].at(-1)!;
  const began = performance.now();
  expect(await business.stripe.say('checkout.session.completed', session)).toBe(204);
  await expect.poll(() => scene(ada), { timeout: 20_000, intervals: [50] }).toBe('live');
  console.log('webhook to picture, ms:', Math.round(performance.now() - began));
  await expect(ada.locator('#chat-as')).toBeVisible();
  await ada.locator('#chat-text').fill('I am in');
  await ada.locator('#chat-text').press('Enter');

  // The link stands in the receipt.
  const receipt = business.stripe.requests.find((one) => one.path === '/v1/checkout/sessions')!.form.get('payment_intent_data[description]')!;
  const link = /http\S+#ticket=\w+/.exec(receipt)![0];
  const phone = await visitor(browser, PHONE, 'fr-FR', true);
  await phone.goto(link);
  await expect.poll(() => scene(phone), { timeout: 20_000 }).toBe('live');
  await expect(phone.locator('.msg', { hasText: 'I am in' })).toBeVisible();
  const third = await visitor(browser);
  await third.goto(link);
  await expect(third.getByRole('heading', { name: 'Your ticket plays on 2 devices already' })).toBeVisible();
  await clean(third, 'devices-en-1280');
  await ada.goto('about:blank');
  await expect.poll(() => scene(third), { timeout: 30_000 }).toBe('live');

  const [sale] = await host.sales();
  business.stripe.speaks = true;
  expect((await host.act({ is: 'refund', payment: sale!.id })).type).toBe('done');
  await expect(third.getByText('This ticket was refunded'), 'the picture ends').toBeVisible({ timeout: 20_000 });
  await expect(phone.getByText('Ce billet a été remboursé')).toBeVisible({ timeout: 20_000 });
  await expect.poll(() => phone.evaluate(() => document.querySelector<HTMLVideoElement>('#video')!.getVideoPlaybackQuality().totalVideoFrames).then(async (before) => {
    await phone.waitForTimeout(500);
    return (await phone.evaluate(() => document.querySelector<HTMLVideoElement>('#video')!.getVideoPlaybackQuality().totalVideoFrames)) - before;
  }), { timeout: 10_000 }).toBe(0);
  await phone.reload();
  await expect(phone.getByRole('button', { name: /Acheter un billet/ })).toBeVisible();
});

for (const locale of ['en-GB', 'fr-FR'] as const) {
  for (const [size, viewport] of [['1280', DESK], ['390', PHONE]] as const) {
    test(`tips and tickets to look at, ${locale} ${size}`, async ({ browser }) => {
      const name = `${locale.slice(0, 2)}-${size}`;
      const host = await Member.host(business);
      await host.act({ is: 'goal', label: locale === 'fr-FR' ? 'Une nouvelle table de mixage pour le studio' : 'A new mixing desk for the studio', minor: 50_000, currency: 'EUR' });
      const ada = await Member.enter(business, { name: 'Sofia R.' });
      const bought = await business.tip(ada, 2000, 'Pour la chanteuse. Rejouez « Harbour », s’il vous plaît !');
      await business.stripe.say('checkout.session.completed', business.stripe.pay(String(bought.body.url).split('/pay/')[1]!));
      await host.ask({ type: 'say', text: 'Merci Sofia !' });
      const page = await viewer(browser, 'Jonas', viewport, locale);
      await expect(page.locator('.msg.tip')).toBeVisible();
      await clean(page, `room-${name}`);
      await page.getByRole('button', { name: locale === 'fr-FR' ? 'Soutenir' : 'Support' }).click();
      await expect(page.getByRole('dialog')).toBeVisible();
      await clean(page, `tip-${name}`);
      await page.keyboard.press('Escape');
      await host.act({ is: 'price', minor: 1500, currency: 'EUR' });
      await expect(page.locator('#office-buy')).toBeVisible();
      await clean(page, `office-${name}`);
    });
  }
}

test('no key of Stripe’s is in what a browser gets, in the log, in an address or among the arguments', async ({ browser }) => {
  const page = await visitor(browser);
  const bodies: string[] = [];
  page.on('response', (response) => void response.text().then((text) => bodies.push(`${response.url()} ${text}`), () => {}));
  await page.goto(watch());
  await expect(page.locator('#chat-as')).toBeVisible();
  const { readFileSync } = await import('node:fs');
  const pid = business.program.child.pid!;
  bodies.push(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), JSON.stringify(await (await fetch(`http://${business.http}/api/rooms/${ROOM}/money`)).json()));
  expect(bodies.length).toBeGreaterThan(4);
  for (const body of bodies) expect(body.includes('canary'), body.slice(0, 80)).toBe(false);
});
