// A viewer who stays: node viewer.mjs URL. Says ready at the first picture, its figures when asked to end.
import { firstPicture, openBrowser, openViewer, say } from "./support.mjs";

const [url, seconds] = process.argv.slice(2);
const browser = await openBrowser();
const page = await openViewer(browser);
await page.goto(url);
await firstPicture(page);
say({ ready: true });
// What is measured is the steady show, not the beginning of the connection.
await page.waitForTimeout(2000);
await page.evaluate(() => Object.assign(window.benchSeen, { frames: 0, longestGapMs: 0, agesMs: [] }));
await page.waitForTimeout(Number(seconds) * 1000);
const seen = await page.evaluate(() => window.benchSeen);
say({ frames: seen.frames, longest_gap_ms: seen.longestGapMs, ages_ms: seen.agesMs });
await browser.close();
