/** A foreign publisher (aiortc) over WHIP into `streamcore serve`, watched in Chromium. */
import { expect, test } from '../pages';
import { closest, instrument, picture, scene, sourcePictures, startPublisher, startServer } from './support';

const KEY = 'a key that only this test knows';

test('what aiortc publishes is seen and heard on the page, and its end too', async ({ page }) => {
  const server = await startServer(KEY);
  const publisher = startPublisher(server.http, 'foreign', KEY);
  try {
    expect(await publisher.line()).toBe('connected');
    await instrument(page);
    await page.goto(`http://${server.http}/watch/foreign`);
    await expect.poll(() => scene(page), { timeout: 15_000 }).toBe('live');
    await page.getByRole('button', { name: 'Unmute' }).first().click();

    const source = sourcePictures(25);
    await expect.poll(() => page.evaluate(() => window.seen.pictures)).toBeGreaterThan(60);
    // Its encoder begins at 1 Mb/s; black or another picture stays far below.
    await expect.poll(async () => closest(await picture(page), source).ssim).toBeGreaterThan(0.7);
    const energy = () =>
      page.evaluate(async () => {
        let sum = 0;
        for (const peer of window.seen.peers) {
          for (const report of (await peer.getStats()).values()) {
            if (report.type === 'inbound-rtp' && report.kind === 'audio') sum += report.totalAudioEnergy ?? 0;
          }
        }
        return sum;
      });
    await expect.poll(energy).toBeGreaterThan(1e-4);

    await publisher.end();
    expect(await publisher.line()).toBe('deleted 200');
    await expect.poll(() => scene(page)).toBe('ended');
  } finally {
    await publisher.end();
    server.program.child.kill('SIGTERM');
    await server.program.end();
  }
});
