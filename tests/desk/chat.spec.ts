/** The chat on the desk: a host who runs the show, and viewers in browsers of their own. */
import path from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { ARTIFACTS, expect } from "./support";
import { test } from "./watchers";

async function say(page: Page, text: string) {
  await page.locator("#chat-text").fill(text);
  await page.locator("#chat-text").press("Enter");
}

const row = (page: Page, text: string) => page.locator(".right .msg", { hasText: text });
const seen = (page: Page, text: string) => page.locator(".msg .said", { hasText: text });

test("viewers and host talk; what the host deletes is gone everywhere, and comes back", async ({ desk, page, viewer }) => {
  const [ada, bob] = [await viewer("Ada"), await viewer("Bob")];
  await say(ada, "Hello from Lyon");
  const tab = page.getByRole("tab", { name: "Chat" });
  await expect(tab.locator("[data-unseen]"), "unread while another tab is open").toHaveText("1");
  await tab.click();
  await expect(row(page, "Hello from Lyon").locator(".who")).toHaveText("Ada");
  await expect(tab.locator("[data-unseen]")).toHaveCount(0);

  const box = page.locator("#moderate-text");
  await box.fill("Good evening, everybody");
  await box.press("Enter");
  await expect(seen(bob, "Good evening, everybody")).toBeVisible();
  await expect(box).toHaveValue("");
  await expect(row(page, "Good evening").locator(".tag")).toHaveText("Host");

  await say(bob, "first rude words");
  await row(page, "rude words").hover();
  const began = performance.now();
  await row(page, "rude words").getByRole("button", { name: "Delete" }).click();
  await expect(seen(ada, "rude words")).toHaveCount(0);
  console.log("delete on the desk to gone at a viewer's, ms:", Math.round(performance.now() - began));
  await page.locator(".chat-done").getByRole("button", { name: "Undo" }).click();
  await expect(seen(ada, "rude words")).toBeVisible();
});

test("everything goes by keyboard, and takes no scene", async ({ desk, page, viewer }) => {
  const ada = await viewer("Ada");
  await page.getByRole("tab", { name: "Chat" }).click();
  for (const text of ["one", "two", "three"]) {
    await say(ada, text);
    await expect(row(page, text)).toBeVisible();
  }
  const list = page.getByRole("log", { name: "Messages" });
  await list.focus();
  await page.keyboard.press("ArrowUp");
  await expect(row(page, "three")).toBeFocused();
  await page.keyboard.press("ArrowUp");
  await expect(row(page, "two")).toBeFocused();
  const scene = await page.locator(".scene.is-program").textContent();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Space");
  await page.keyboard.press("p");
  await expect(page.locator(".pinned")).toContainText("two");
  await expect(ada.locator("#chat-pin")).toContainText("two");
  await page.keyboard.press("p");
  await expect(page.locator(".pinned")).toHaveCount(0);
  await page.keyboard.press("r");
  await expect(page.locator("#moderate-text")).toBeFocused();
  await page.keyboard.type("an answer");
  await page.keyboard.press("Enter");
  await expect(row(page, "an answer").locator(".msg-quote")).toContainText("two");
  await list.focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("t");
  await expect(ada.locator("#chat-rule")).toContainText("paused");
  await expect(page.locator(".chat-done")).toContainText("Ada is paused");
  await page.keyboard.press("u");
  await expect(page.locator(".chat-done")).toContainText("undone");
  await say(ada, "and back");
  await expect(row(page, "and back")).toBeVisible();
  expect(await page.locator(".scene.is-program").textContent(), "Space and Enter belong to the list").toBe(scene);
});

test("a held message is let through or not, and rules change at once", async ({ desk, page, viewer }) => {
  const ada = await viewer("Ada");
  await page.getByRole("tab", { name: "Chat" }).click();
  await say(ada, "look at https://example.org/tour");
  const held = page.getByRole("region", { name: "Held" });
  await expect(held).toContainText("example.org/tour");
  await held.getByRole("button", { name: "Allow" }).click();
  await expect(held).toHaveCount(0);
  await expect(row(page, "example.org/tour").getByRole("link")).toHaveAttribute("rel", /noopener/);
  await page.getByRole("button", { name: "Rules" }).click();
  await page.getByRole("switch", { name: "Only host and moderators write" }).click();
  await expect(ada.locator("#chat-rule")).toContainText("Only the host");
  await page.keyboard.press("Escape");
});

test("words are text on the desk, whatever they look like", async ({ desk, page, viewer }) => {
  const ada = await viewer("<b onclick=x>Ada");
  await page.getByRole("tab", { name: "Chat" }).click();
  let dialogs = 0;
  page.on("dialog", (dialog) => {
    dialogs++;
    void dialog.dismiss();
  });
  const hostile = ["<img src=x onerror=alert(1)>", "<svg/onload=alert(2)>", "javascript:alert(3)", "{{7*7}}", "</p><script>alert(5)</script>"];
  for (const text of hostile) {
    await say(ada, text);
    await expect(row(page, text)).toBeVisible();
  }
  expect(await page.locator(".right .msg img, .right .msg svg:not(.i), .right .msg script").count()).toBe(0);
  expect(dialogs).toBe(0);
});

test("the desk comes back into the chat with a killed engine, and has it still", async ({ desk, page, viewer, engine }) => {
  const ada = await viewer("Ada");
  await page.getByRole("tab", { name: "Chat" }).click();
  await say(ada, "before");
  await expect(row(page, "before")).toBeVisible();
  await engine.kill();
  await engine.start();
  await expect(page.locator(".chat-link-state")).toHaveText("", { timeout: 20_000 });
  await expect(row(page, "before")).toBeVisible();
  const box = page.locator("#moderate-text");
  await expect(async () => {
    await box.fill("after");
    await box.press("Enter");
    await expect(row(page, "after")).toBeVisible({ timeout: 1000 });
  }).toPass({ timeout: 20_000 });
});

for (const [locale, tabName] of [["en-GB", "Chat"], ["fr-FR", "Discussion"]] as const) {
  for (const viewport of [{ width: 1440, height: 900 }, { width: 1180, height: 760 }]) {
    test.describe(`${locale} ${viewport.width}`, () => {
      test.use({ locale, viewport });
      test("the chat on the desk, to look at", async ({ desk, page, viewer }) => {
        const [ada, bob] = [await viewer("Tobias"), await viewer("pedalboard_paul")];
        await page.getByRole("tab", { name: tabName }).click();
        await expect(page.locator("#moderate-text")).toBeEnabled();
        await page.screenshot({ path: path.join(ARTIFACTS, "desk", `chat-empty-${locale.slice(0, 2)}-${viewport.width}.png`) });
        await say(ada, "First time here. Who is on drums?");
        await say(bob, "What reverb is on the guitar? Sounds huge");
        await expect(row(page, "reverb")).toBeVisible();
        await page.locator("#moderate-text").fill("Karim Haddad, all the way from Lyon. @Tobias welcome!");
        await page.locator("#moderate-text").press("Enter");
        await expect(row(page, "Karim Haddad")).toBeVisible();
        await page.locator(".chat-list").focus();
        await page.keyboard.press("ArrowUp");
        await page.keyboard.press("p");
        await say(ada, "Cheaper copies on my page, everybody go now: https://example.org/tour");
        await expect(page.locator(".held")).toBeVisible();
        await say(bob, "Encore! Encore!");
        await row(page, "reverb").hover();
        const name = `chat-${locale.slice(0, 2)}-${viewport.width}`;
        await page.screenshot({ path: path.join(ARTIFACTS, "desk", `${name}.png`) });
        const { violations } = await new AxeBuilder({ page }).analyze();
        expect(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(" ")).join(", ")}`), name).toEqual([]);
        await page.locator(".chat-bar .ib").last().click();
        await page.screenshot({ path: path.join(ARTIFACTS, "desk", `${name}-rules.png`) });
      });
    });
  }
}
