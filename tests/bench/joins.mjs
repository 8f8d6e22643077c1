// Viewers who come one after the other: node joins.mjs URL COUNT. Says how long each waited for a picture.
import { firstPicture, openBrowser, openViewer, say } from "./support.mjs";

const [url, count] = process.argv.slice(2);
const browser = await openBrowser();
const waits = [];
for (let join = 0; join < Number(count); join++) {
  const page = await openViewer(browser);
  await page.goto(url, { waitUntil: "commit" });
  const shown = await firstPicture(page);
  waits.push(shown - (await page.evaluate(() => performance.timeOrigin)));
  await page.context().close();
}
say({ first_picture_ms: waits });
await browser.close();
