/** Who watches, on the desk: figures of a show that is on, and its minutes. */
import path from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { ARTIFACTS, expect } from "./support";
import { test } from "./watchers";

test("the host sees how many watch, how long, and beside what", async ({ desk, page, viewer }) => {
  await desk.onlyStreamCore();
  const viewers = page.locator("[data-viewers]");
  await expect(viewers, "says when figures come").toContainText("Nobody has watched yet");
  await desk.button("Go live").click();
  await expect(desk.lamp()).toHaveAttribute("data-phase", "live");
  // What ending would stop is said for as long as the hand is there, over the tabs.
  await page.mouse.move(600, 400);
  const ada = await viewer("Ada");
  const bob = await viewer("Bob");
  const now = viewers.locator("[data-now]");
  await expect(now).toHaveText("2");
  await ada.locator("#chat-text").fill("Good evening");
  await ada.locator("#chat-text").press("Enter");
  const began = performance.now();
  await bob.close();
  await expect(now).toHaveText("1", { timeout: 30_000 });
  console.log("a viewer's page closed to the desk's figure, ms:", Math.round(performance.now() - began));
  const figure = (name: string) => viewers.locator("dl > div", { hasText: name }).locator("dd");
  await expect(figure("Peak")).toHaveText("2");
  await expect(figure("Came")).toHaveText("2");
  await expect(figure("Left")).toHaveText("1");
  await expect(figure("Visitors"), "one address and one kind of browser").toHaveText("1");
  await viewers.getByText("Minute by minute").click();
  await expect(viewers.getByRole("table").locator("tbody tr").first()).toBeVisible({ timeout: 30_000 });
  for (const [locale, width, height] of [
    ["EN, English", 1440, 900],
    ["EN, English", 1180, 760],
    ["FR, Français", 1440, 900],
    ["FR, Français", 1180, 760],
  ] as const) {
    await page.setViewportSize({ width, height });
    await page.getByRole("button", { name: locale }).click();
    await viewers.scrollIntoViewIfNeeded();
    await page.screenshot({ path: path.join(ARTIFACTS, `desk-viewers-${locale.slice(0, 2).toLowerCase()}-${width}.png`) });
  }
  const seen = await new AxeBuilder({ page }).include("[data-viewers]").analyze();
  expect(seen.violations.map((violation) => violation.id)).toEqual([]);
});
