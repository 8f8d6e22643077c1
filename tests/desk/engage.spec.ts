/** What the audience does together: a host at the desk and viewers in browsers of their own. */
import path from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { ARTIFACTS, expect } from "./support";
import { test } from "./watchers";

const option = (page: Page, text: string) => page.locator(".poll-option", { hasText: text });
const bar = (page: Page, text: string) => page.locator(".en-bars li", { hasText: text });

async function open(page: Page, name: string | RegExp = "Engage") {
  await page.getByRole("tab", { name }).click();
  await expect(page.locator(".engage")).toBeVisible();
}

/** Does something, and measures until all of this is to be seen; in milliseconds. */
async function timed(what: string, act: () => Promise<unknown>, ...shown: Promise<unknown>[]) {
  const began = performance.now();
  await act();
  await Promise.all(shown);
  console.log(`${what}, ms:`, Math.round(performance.now() - began));
}

test("the host asks, three viewers vote, and the desk sees how it goes", async ({ desk, page, viewer }) => {
  const [ada, bob, cy] = [await viewer("Ada"), await viewer("Bob"), await viewer("Cy")];
  await open(page);
  await page.getByLabel("Question", { exact: true }).fill("Encore?");
  await page.getByLabel("Answer 1", { exact: true }).fill("Yes");
  await page.getByLabel("Answer 2", { exact: true }).fill("One more");
  await page.locator(".en-time select").selectOption({ index: 1 });
  await timed(
    "poll: start on the desk to sight of three viewers",
    () => page.getByRole("button", { name: "Start poll" }).click(),
    ...[ada, bob, cy].map((one) => expect(option(one, "One more")).toBeVisible()),
  );
  await timed(
    "poll: first vote to sight of desk and viewers",
    () => option(ada, "One more").click(),
    expect(bar(page, "One more")).toContainText("1 vote"),
    ...[bob, cy].map((one) => expect(option(one, "One more").locator(".poll-share")).toHaveText("100%")),
  );
  await option(bob, "Yes").click();
  await option(cy, "One more").click();
  await expect(bar(page, "One more")).toContainText("67%");
  await expect(page.locator(".engage-done")).toContainText("The poll is open.");
  await timed(
    "poll: end on the desk to sight of three viewers",
    () => page.getByRole("button", { name: "End poll" }).click(),
    ...[ada, bob, cy].map((one) => expect(one.locator(".poll.over")).toBeVisible()),
  );
  await page.getByRole("button", { name: "Take off" }).click();
  await expect(ada.locator(".poll")).toBeHidden();
});

test("questions, a giveaway, reactions and a raid go from the desk to everybody", async ({ desk, page, viewer }) => {
  const [ada, bob] = [await viewer("Ada"), await viewer("Bob")];
  await open(page);
  await page.getByText("Viewers may ask questions").click();
  await ada.locator("#tab-questions").click();
  await ada.locator("#question-text").fill("Which label is it on?");
  await timed(
    "question: asked to sight of the desk",
    () => ada.locator("#question-send").click(),
    expect(page.locator(".en-questions")).toContainText("Which label is it on?"),
  );
  await bob.locator("#tab-questions").click();
  await bob.locator(".question-key").click();
  await expect(page.locator(".en-questions")).toContainText("wanted by 2");
  await page.getByRole("button", { name: "Answer: Which label is it on?" }).click();
  await expect(bob.locator(".answering")).toContainText("Which label is it on?");
  // A question with a link waits, and its tab says so wherever the host is.
  await bob.locator("#question-text").fill("Is https://cheap.example yours?");
  await bob.locator("#question-text").press("Enter");
  await page.getByRole("tab").first().click();
  await expect(page.getByRole("tab", { name: "Engage" }).locator(".count")).toHaveText("1");
  await open(page, /^Engage/);
  await page.getByRole("button", { name: /^Hide: Is https/ }).click();
  await expect(page.locator(".en-questions")).not.toContainText("cheap.example");

  await page.getByLabel("What is given away").fill("A signed vinyl");
  await page.getByRole("button", { name: "Open the giveaway" }).click();
  await ada.getByRole("button", { name: "Take part" }).click();
  await bob.getByRole("button", { name: "Take part" }).click();
  await expect(bob.locator(".giveaway .card-note"), "both come from this machine").toContainText("one entry each");
  await expect(page.locator(".engage")).toContainText("1 person takes part");
  await timed(
    "giveaway: drawn on the desk to the winner's sight",
    () => page.getByRole("button", { name: "Draw now" }).click(),
    expect(ada.locator(".giveaway-won")).toHaveText("You have won!"),
    expect(bob.locator(".giveaway")).toContainText("Drawn: Ada"),
  );
  await expect(page.locator(".en-won")).toHaveText("Drawn: Ada");
  await bob.locator(".fair summary").click();
  await bob.getByRole("button", { name: "Check the draw" }).click();
  await expect(bob.locator(".giveaway-verdict")).toContainText("The draw holds");

  await ada.getByRole("button", { name: "Applause" }).click();
  await expect(page.locator('[data-reaction="clap"]')).toHaveText("1");

  await page.getByLabel("Room, or https address of a watch page").fill("http://elsewhere.example/watch/a");
  await page.getByRole("button", { name: "Send viewers there" }).click();
  await expect(page.locator(".engage-done.is-failed"), "not by http").toBeVisible();
  await page.getByLabel("Room, or https address of a watch page").fill("afterparty");
  await timed(
    "raid: begun on the desk to sight of a viewer",
    () => page.getByRole("button", { name: "Send viewers there" }).click(),
    expect(ada.locator(".raid")).toContainText("afterparty"),
  );
  await bob.getByRole("button", { name: "Stay here" }).click();
  await ada.waitForURL(/\/watch\/afterparty$/, { timeout: 15_000 });
  await expect(page.getByRole("button", { name: "Send viewers there" }), "it is over on the desk too").toBeVisible();
  expect(bob.url()).not.toContain("afterparty");
});

for (const [locale, tabName] of [["en-GB", "Engage"], ["fr-FR", "Animer"]] as const) {
  for (const viewport of [{ width: 1440, height: 900 }, { width: 1180, height: 760 }]) {
    test.describe(`${locale} ${viewport.width}`, () => {
      test.use({ locale, viewport });
      test("engagement on the desk, to look at", async ({ desk, page, viewer }) => {
        const french = locale.startsWith("fr");
        const [ada, bob] = [await viewer("Claire D."), await viewer("pedalboard_paul")];
        await open(page, tabName);
        const look = async (name: string) => {
          await page.screenshot({ path: path.join(ARTIFACTS, "desk", `engage-${name}-${locale.slice(0, 2)}-${viewport.width}.png`) });
          const { violations } = await new AxeBuilder({ page }).analyze();
          expect(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(" ")).join(", ")}`), name).toEqual([]);
        };
        await look("empty");
        await page.locator("#en-question").fill(french ? "Quel morceau pour finir la soirée ?" : "Which song shall end the evening?");
        await page.locator(".en-line input").nth(0).fill("Nocturne");
        await page.locator(".en-line input").nth(1).fill(french ? "Le dernier métro de Belleville" : "The last train to Belleville");
        await page.locator(".en-form .btn-primary").first().click();
        await option(ada, "Nocturne").click();
        await page.locator(".en-switch").click();
        await ada.locator("#tab-questions").click();
        await ada.locator("#question-text").fill(french ? "Le vinyle existe-t-il aussi en couleur, et combien en reste-t-il ?" : "Does the vinyl come in colour too, and how many are left?");
        await ada.locator("#question-text").press("Enter");
        await bob.locator("#tab-questions").click();
        await bob.locator("#question-text").fill("https://cheap.example ?");
        await bob.locator("#question-text").press("Enter");
        await expect(page.locator(".en-questions li")).toHaveCount(2);
        await ada.locator('[data-reaction="fire"]').click();
        await expect(page.locator('.engage [data-reaction="fire"]')).toHaveText("1");
        await look("full");
        await page.locator("#en-to").scrollIntoViewIfNeeded();
        await look("foot");
      });
    });
  }
}
