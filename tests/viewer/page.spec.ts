/** The viewer page in Chromium, watching a show that is published in process. */
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '../pages';
import { Show, closest, instrument, median, picture, scene, sourcePictures, ssim } from './support';

let show: Show;
test.beforeEach(async () => {
  show = await Show.start('Nocturne, live from <b>Belleville</b>');
});
test.afterEach(async () => {
  await show.end();
});

const isLive = (page: Page) => expect.poll(() => scene(page), { timeout: 10_000 }).toBe('live');

/** Sum of a counter over all of the page's peer connections. */
function counter(page: Page, kind: 'audio' | 'video', name: string): Promise<number> {
  return page.evaluate(
    async ([kind, name]) => {
      let sum = 0;
      for (const peer of window.seen.peers) {
        for (const report of (await peer.getStats()).values()) {
          if (report.type === 'inbound-rtp' && report.kind === kind) sum += report[name!] ?? 0;
        }
      }
      return sum;
    },
    [kind, name],
  );
}

/** Ten seconds of the show as the viewer has it; pictures are compared later, for that takes the processor too. */
async function watchTenSeconds(page: Page) {
  await page.evaluate(() => {
    window.seen.gaps = [];
    window.seen.pictures = 0;
  });
  const frames = await counter(page, 'video', 'framesDecoded');
  const energy = await counter(page, 'audio', 'totalAudioEnergy');
  const pictures: number[][] = [];
  const began = Date.now();
  while (Date.now() - began < 10_000) {
    pictures.push(await picture(page));
    await page.waitForTimeout(900);
  }
  const { gaps, pictures: shown } = await page.evaluate(() => window.seen);
  const elapsed = (Date.now() - began) / 1000;
  return {
    pictures,
    longestGap: Math.max(...gaps),
    shownPerSecond: shown / elapsed,
    decodedPerSecond: ((await counter(page, 'video', 'framesDecoded')) - frames) / elapsed,
    energy: (await counter(page, 'audio', 'totalAudioEnergy')) - energy,
  };
}

test('ten seconds of picture and sound, without a freeze, and the right picture', async ({ page }) => {
  test.setTimeout(120_000);
  await show.order('publish');
  await instrument(page);
  await page.goto(show.watch);
  await isLive(page);
  await page.getByRole('button', { name: 'Unmute' }).first().click();
  await expect(page.locator('#unmute')).toBeHidden();

  // What is judged is the show, not the moment in which the connection was made.
  await page.waitForTimeout(1000);
  const source = sourcePictures(30);
  // Another program that takes the processor for a moment makes the browser stutter; a fault of ours shows in every look.
  let look = await watchTenSeconds(page);
  for (let again = 0; again < 2 && look.longestGap >= 200; again++) {
    look = await watchTenSeconds(page);
  }
  const looks = look.pictures.map((grey) => closest(grey, source));
  expect(look.decodedPerSecond, 'frames decoded a second').toBeGreaterThan(28);
  expect(look.shownPerSecond, 'pictures shown a second').toBeGreaterThan(20);
  expect(look.longestGap, 'longest freeze in ms').toBeLessThan(200);
  expect(look.energy, 'sound energy').toBeGreaterThan(1e-4);
  expect(Math.min(...looks.map((one) => one.ssim)), 'SSIM against the source').toBeGreaterThan(0.85);
  expect(new Set(looks.map((one) => one.frame)).size, 'different frames').toBeGreaterThan(4);
  expect(await counter(page, 'video', 'pliCount'), 'keyframes asked for').toBe(0);
  expect(await counter(page, 'video', 'packetsLost'), 'packets lost').toBe(0);
  // The measure itself: black is like no frame of the clip.
  expect(closest(new Uint8Array(160 * 90), source).ssim, 'a black picture').toBeLessThan(0.5);
  expect(ssim(source[0]!, source[80]!), 'another frame').toBeLessThan(0.85);
  await expect(page.locator('#delay')).toHaveText(/^0\.\d s behind$/);
});

test('the first picture does not wait for the next keyframe', async ({ browser }) => {
  await show.order('publish');
  const waits: number[] = [];
  for (let join = 0; join < 10; join++) {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(show.watch);
    await page.waitForFunction(() => window.__streamcore?.firstPictureMs !== undefined);
    waits.push(await page.evaluate(() => window.__streamcore.firstPictureMs!));
    await context.close();
  }
  test.info().annotations.push({ type: 'first picture, ms', description: waits.map(Math.round).join(' ') });
  console.log("first picture, ms:", waits.map(Math.round).join(" "), "median", Math.round(median(waits)));
  // Without the kept group of pictures it would be over a second.
  expect(median(waits), `median of ${waits.map(Math.round).join(', ')}`).toBeLessThan(500);
});

test('starting soon, live, interrupted, live again, ended', async ({ page }) => {
  await instrument(page);
  await page.goto(show.watch);
  await expect(page.locator('.notice')).toContainText('Starting soon');
  await expect(page.getByText('LIVE', { exact: true })).toBeHidden();
  await show.order('publish');
  await isLive(page);
  await expect(page.getByText('LIVE', { exact: true })).toBeVisible();
  await expect(page.locator('#viewers')).toHaveText('1 viewer');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Nocturne, live from <b>Belleville</b>');
  const sessions = () => page.evaluate(() => window.__streamcore.sessions);
  const before = await sessions();

  await show.order('drop');
  await expect(page.locator('.notice')).toContainText('The show is interrupted');
  await page.waitForTimeout(3000);
  await show.order('publish');
  await isLive(page);
  const pictures = await page.evaluate(() => window.seen.pictures);
  await expect.poll(() => page.evaluate(() => window.seen.pictures)).toBeGreaterThan(pictures + 30);
  expect(await sessions(), 'the viewer stayed connected').toBe(before);

  await show.order('end');
  await expect(page.locator('.notice')).toContainText('The show has ended');
  await expect(page.locator('#controls')).toBeHidden();
  await show.order('publish');
  await isLive(page);
});

test('a server that was killed and comes back is found again without a click', async ({ page }) => {
  await show.order('publish');
  await instrument(page);
  await page.goto(show.watch);
  await isLive(page);
  await show.kill();
  await expect(page.locator('.notice')).toContainText('Reconnecting', { timeout: 6000 });
  const pictures = await page.evaluate(() => window.seen.pictures);
  show = await Show.start('Back again', [show.http, show.media]);
  await show.order('publish');
  await isLive(page);
  await expect.poll(() => page.evaluate(() => window.seen.pictures)).toBeGreaterThan(pictures + 30);
});

test('hands: keys, pause, volume, language', async ({ page }) => {
  await show.order('publish');
  await page.goto(show.watch);
  await isLive(page);
  const video = page.locator('video');
  const is = (name: 'muted' | 'paused' | 'volume') => video.evaluate((v: HTMLVideoElement, name) => v[name], name);
  expect(await is('muted'), 'autoplay is silent').toBe(true);
  await page.locator('#player').focus();
  await page.keyboard.press('m');
  expect(await is('muted')).toBe(false);
  await page.keyboard.press('ArrowDown');
  expect(await is('volume')).toBeCloseTo(0.95);
  await page.keyboard.press('k');
  expect(await is('paused')).toBe(true);
  await expect(page.locator('#delay')).toHaveText('Paused');
  await page.getByRole('button', { name: 'Play' }).click();
  await expect.poll(() => is('paused')).toBe(false);
  await page.getByRole('button', { name: 'Full screen' }).click();
  await expect.poll(() => page.evaluate(() => document.fullscreenElement?.id)).toBe('screen');
  await page.getByRole('button', { name: 'Leave full screen' }).click();
  await expect.poll(() => page.evaluate(() => document.fullscreenElement)).toBeNull();

  await page.getByRole('button', { name: 'Français' }).click();
  await expect(page.locator('html')).toHaveAttribute('lang', 'fr');
  await expect(page.locator('#viewers')).toHaveText('1 spectateur');
  await expect(page.getByRole('button', { name: 'Mettre en pause' })).toBeVisible();
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('lang', 'fr');
});

for (const locale of ['en-GB', 'fr-FR']) {
  test.describe(locale, () => {
    test.use({ locale });
    test('nothing stands in the way of a screen reader or a narrow screen', async ({ page }) => {
      const check = async (name: string) => {
        const { violations } = await new AxeBuilder({ page }).analyze();
        expect(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target).join(' ')}`), name).toEqual([]);
        for (const [width, height] of [
          [1280, 800],
          [390, 844],
          [320, 640],
        ] as const) {
          await page.setViewportSize({ width, height });
          const overflow = await page.evaluate(
            () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
          );
          expect(overflow, `${name} at ${width}`).toBeLessThanOrEqual(0);
          await page.screenshot({ path: `artifacts/viewer-${locale}-${name}-${width}.png` });
        }
      };
      await page.goto(show.watch);
      await expect.poll(() => scene(page)).toBe('starting');
      await expect(page.locator('html')).toHaveAttribute('lang', locale.slice(0, 2));
      await check('starting');
      await show.order('publish');
      await isLive(page);
      await check('live');
      await show.order('end');
      await expect.poll(() => scene(page)).toBe('ended');
      await check('ended');
    });
  });
}
