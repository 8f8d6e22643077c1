/** Tests with more than one person: whoever a test lets in leaves with it. */
import { test as base } from '@playwright/test';

export { expect, type Browser, type Locator, type Page } from '@playwright/test';

/**
 * The browser outlives a test, and so would every window that a test opens by itself: forty of them, each looking for its
 * server, would leave the next test no processor.
 */
export const test = base.extend<{ leaving: void }>({
  leaving: [
    async ({ browser }, use) => {
      await use();
      await Promise.all(browser.contexts().map((context) => context.close()));
    },
    { auto: true },
  ],
});
