/** Viewers of the studio's own room, in browsers of their own. */
import type { BrowserContext, Page } from "@playwright/test";
import { expect, test as base } from "./support";

/** Where viewers watch, by the loopback address. */
async function watchUrl(page: Page): Promise<string> {
  await page.getByRole("tab").last().click();
  const url = new URL((await page.locator("[data-watch-link]").textContent()) ?? "");
  url.hostname = "127.0.0.1";
  return url.href;
}

export type Watcher = (name: string) => Promise<Page>;

/** Viewers in browsers of their own, who are gone when the test is. */
export const test = base.extend<{ viewer: Watcher }>({
  viewer: async ({ browser, page }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async (name) => {
      const url = await watchUrl(page);
      const context = await browser.newContext({ viewport: { width: 1280, height: 720 }, locale: "en-GB" });
      contexts.push(context);
      const watching = await context.newPage();
      await watching.addInitScript((name) => localStorage.setItem("streamcore.chat.name", name), name);
      await watching.goto(url);
      await expect(watching.locator("#chat-as")).toBeVisible();
      return watching;
    });
    for (const context of contexts) await context.close();
  },
});
