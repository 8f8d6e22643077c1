/** Money on the desk: what viewers pay, what the host asks of them, and refunds, in the engine's own room. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { FakeStripe, SECRET, WEBHOOK_SECRET } from "../money/stripe";
import { ARTIFACTS, Engine, expect } from "./support";
import { test as base } from "./watchers";

const test = base.extend<{ stripe: FakeStripe }>({
  stripe: async ({}, use) => {
    const stripe = await FakeStripe.start();
    await use(stripe);
    await stripe.stop();
  },
  engine: async ({ stripe }, use) => {
    process.env.MONEY_STRIPE = SECRET;
    process.env.MONEY_WEBHOOK = WEBHOOK_SECRET;
    const engine = new Engine(await mkdtemp(path.join(tmpdir(), "studio-money-")));
    engine.more.push("--streamcore-stripe-secret-env", "MONEY_STRIPE", "--streamcore-stripe-webhook-secret-env", "MONEY_WEBHOOK", "--streamcore-stripe-url", stripe.url);
    await engine.start();
    await use(engine);
    await engine.stop();
  },
});

const tab = (page: Page) => page.getByRole("tab", { name: /^(Money|Recettes)$/ });

/** Somebody tips on the viewer page and pays on the stand-in's. */
async function tip(watching: Page, stripe: FakeStripe, words: string) {
  stripe.webhook = new URL("/stripe/webhook", watching.url()).href;
  await watching.getByRole("button", { name: "Support" }).click();
  await watching.getByRole("radio", { name: "€20.00" }).check();
  await watching.getByLabel("A few words, if you like").fill(words);
  const [checkout] = await Promise.all([watching.waitForEvent("popup"), watching.getByRole("button", { name: "Pay €20.00" }).click()]);
  await checkout.getByRole("button", { name: "Pay" }).click();
  return checkout;
}

test("a goal is set on the desk, a viewer tips, and both see it come nearer", async ({ desk, page, viewer, stripe }) => {
  const ada = await viewer("Ada <b>");
  await tab(page).click();
  await expect(page.locator(".money-test")).toContainText("no real money");
  await page.locator("[data-goal-label]").fill("A new mixing desk");
  await page.locator("[data-goal-target]").fill("250,50");
  await page.locator("[data-goal-target]").press("Enter");
  await expect(page.locator(".money-done")).toHaveText("The goal is set.");
  await expect(ada.locator("#goal")).toContainText("€0.00 of €250.50");
  const hostile = "<img src=x onerror=alert(1)>{{7*7}}";
  const paid = tip(ada, stripe, hostile);
  const row = page.locator("[data-sale=tip]");
  await row.waitFor();
  const began = performance.now();
  await expect(ada.locator("#goal")).toContainText("€20.00 of €250.50");
  console.log("desk before viewer by, ms:", Math.round(performance.now() - began));
  await paid;
  await expect(row).toContainText("Ada <b> tipped €20.00");
  await expect(row).toContainText(hostile);
  expect(await row.locator("img").count()).toBe(0);
  await expect(page.locator("[data-net=EUR]")).toHaveText("€19.00");
  await row.getByRole("button", { name: /^Refund:/ }).click();
  await row.getByRole("button", { name: "Refund now" }).click();
  await expect(row.locator("[data-refund]")).toHaveText("Refunded");
  await expect(page.locator("[data-net=EUR]")).toHaveText("€0.00");
  await expect(ada.locator("#goal")).toContainText("€0.00 of €250.50");
  expect(stripe.refunds.length).toBe(1);
});

test("a price shuts the room, a ticket opens it, and a cancelled show is given back", async ({ desk, page, viewer, stripe }) => {
  const ada = await viewer("Ada");
  stripe.webhook = new URL("/stripe/webhook", ada.url()).href;
  await tab(page).click();
  await page.locator("[data-ticket-price]").fill("15");
  await page.locator("[data-ticket-price]").press("Enter");
  const buy = ada.getByRole("button", { name: "Buy a ticket for €15.00" });
  await expect(buy).toBeVisible();
  await expect(page.locator(".money-terms")).toContainText("A ticket costs €15.00");
  await buy.click();
  await ada.getByRole("button", { name: "Pay" }).click();
  await expect(ada.locator("#chat-as")).toBeVisible();
  const row = page.locator("[data-sale=ticket]");
  await expect(row).toContainText("A ticket was sold for €15.00");
  stripe.faults.push({ status: 400, error: { type: "invalid_request_error", code: "charge_disputed", message: "no" } });
  await page.getByRole("button", { name: "Refund all tickets" }).click();
  await page.getByRole("button", { name: "Refund all", exact: true }).click();
  await expect(row).toContainText("the payer contests it");
  await row.getByRole("button", { name: /^Refund:/ }).click();
  await row.getByRole("button", { name: "Refund now" }).click();
  await expect(row.locator("[data-refund]")).toHaveText("Refunded");
  await expect(ada.getByText("This ticket was refunded")).toBeVisible();
  await page.getByText("Begin another show").click();
  await page.getByLabel("Name of the next show").fill("Next week");
  await page.getByLabel("Name of the next show").press("Enter");
  await expect(page.getByLabel("Shows")).toContainText("Next week");
  await page.getByLabel("Shows").selectOption({ label: "Show 1" });
  await expect(row).toHaveCount(1);
});

for (const locale of ["en-GB", "fr-FR"] as const) {
  for (const viewport of [{ width: 1440, height: 900 }, { width: 1180, height: 760 }]) {
    test.describe(`${locale} ${viewport.width}`, () => {
      test.use({ locale, viewport });
      test("money on the desk, to look at", async ({ desk, page, viewer, stripe }) => {
        const ada = await viewer("Sofia R.");
        await tab(page).click();
        const shot = async (name: string) => {
          const whole = `money-${name}-${locale.slice(0, 2)}-${viewport.width}`;
          await page.screenshot({ path: path.join(ARTIFACTS, "desk", `${whole}.png`) });
          const { violations } = await new AxeBuilder({ page }).analyze();
          expect(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(" ")).join(", ")}`), whole).toEqual([]);
        };
        await expect(page.locator("[data-goal-label]")).toBeVisible();
        await shot("empty");
        await page.locator("[data-goal-label]").fill("Une nouvelle table de mixage");
        await page.locator("[data-goal-target]").fill("250");
        await page.locator("[data-goal-target]").press("Enter");
        await tip(ada, stripe, "For the singer. Play “Harbour” again, please!");
        await expect(page.locator("[data-sale=tip]")).toBeVisible();
        await page.locator("[data-sale=tip] .ib").click();
        await shot("sales");
      });
    });
  }
}
