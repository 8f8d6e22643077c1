/** What lies over the picture: from the desk to the program, to other desks, and to the page for OBS. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import type { Locator, Page } from "@playwright/test";
import { choose, connect, row as productRow, test } from "./selling";
import { ARTIFACTS, Desk, expect, type Engine } from "./support";

const EVIL = "<img src=x onerror=alert(1)><b>Maya</b> & Cie";
const LONG = "Crème brûlée à l’ancienne, « façon grand-mère » ".repeat(5).slice(0, 200);

const box = (page: Page) => page.locator("[data-on-picture]");
const onPicture = (page: Page, kind: string) => box(page).locator(`[data-overlay=${kind}]`);
const setUp = (page: Page) => box(page).getByRole("button", { name: /^(Set up what lies over the picture|Préparer ce qui passe à l’image)$/ });
const shownOn = (page: Page, kind: string) => page.locator(`img[data-overlay=${kind}]`);
const kindTab = (page: Page, name: string) => page.getByRole("dialog").getByRole("tab", { name });

/** Opens the page for OBS by the link that the desk gives. */
async function openPage(desk: Page): Promise<Page> {
  await desk.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await setUp(desk).click();
  await kindTab(desk, "For OBS").click();
  await desk.getByRole("button", { name: "Copy the link" }).click();
  await expect(desk.getByRole("dialog").getByRole("button", { name: "Copied" })).toBeVisible();
  const link = await desk.evaluate(() => navigator.clipboard.readText());
  expect(link).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/overlay#token=\w{32,}$/);
  await desk.keyboard.press("Escape");
  const page = await desk.context().newPage();
  await page.setViewportSize({ width: 1280, height: 720 });
  await page.goto(link);
  await expect(page.locator("html")).toHaveAttribute("data-state", "overlays");
  return page;
}

/** How many pixels of a page are opaque, half transparent, and nothing at all, as a program that lays it over a picture sees them. */
async function seeThrough(page: Page, keep: string) {
  const png = await page.screenshot({ omitBackground: true, path: path.join(ARTIFACTS, "desk", `${keep}.png`) });
  return page.evaluate(async (data) => {
    const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
    const picture = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const canvas = new OffscreenCanvas(picture.width, picture.height);
    const context = canvas.getContext("2d")!;
    context.drawImage(picture, 0, 0);
    const pixels = context.getImageData(0, 0, picture.width, picture.height).data;
    let [nothing, panel, words] = [0, 0, 0];
    for (let at = 3; at < pixels.length; at += 4) {
      if (pixels[at] === 0) nothing++;
      else if (pixels[at]! < 250) panel++;
      else words++;
    }
    return { nothing, panel, words, all: pixels.length / 4 };
  }, png.toString("base64"));
}

/** Whether the lower left of a picture on the desk has letters on a dark panel. */
const covered = (picture: Locator) =>
  picture.evaluate((canvas: HTMLCanvasElement) => {
    const { width, height } = canvas;
    const data = canvas.getContext("2d")!.getImageData(width * 0.05, height * 0.8, width * 0.3, height * 0.13).data;
    let [light, dark] = [0, 0];
    for (let at = 0; at < data.length; at += 4) {
      if (data[at]! > 200 && data[at + 2]! > 200) light++;
      if (data[at]! < 60 && data[at + 1]! < 60 && data[at + 2]! < 60) dark++;
    }
    return light > 20 && dark > 300;
  });

async function prepareTitle(page: Page, title: string, subtitle: string) {
  await setUp(page).click();
  await kindTab(page, "Name title").click();
  await page.getByRole("dialog").getByLabel("Name", { exact: true }).fill(title);
  await page.getByRole("dialog").getByLabel("Second line").fill(subtitle);
}

test("a name is prepared, shown and taken off, on every desk, in the program and on the page", async ({ desk, page, engine, context }) => {
  await desk.addColour("Blue");
  const program = page.locator(".picture > canvas").first();
  await prepareTitle(page, EVIL, "Chanteuse, Belleville");
  await page.getByRole("button", { name: "Keep ready" }).click();
  await expect(page.getByRole("dialog").getByText("Ready", { exact: true })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(onPicture(page, "lower_third")).toHaveAttribute("aria-checked", "false");
  expect(await covered(program)).toBe(false);

  const obs = await openPage(page);
  let dialogs = 0;
  for (const one of [page, obs]) {
    one.on("dialog", (dialog) => {
      dialogs++;
      void dialog.dismiss();
    });
  }
  expect((await seeThrough(obs, "overlay-page-empty")).nothing).toBe(1280 * 720);
  const other = new Desk(await context.newPage());
  await other.open(engine);
  await onPicture(page, "lower_third").focus();
  await page.keyboard.press("Space");
  await expect(onPicture(other.page, "lower_third")).toHaveAttribute("aria-checked", "true");
  await page.bringToFront();
  await expect.poll(() => covered(program)).toBe(true);
  await obs.bringToFront();
  await expect(shownOn(obs, "lower_third")).toHaveAttribute("alt", `${EVIL}, Chanteuse, Belleville`);
  await expect.poll(() => shownOn(obs, "lower_third").evaluate((image) => getComputedStyle(image).opacity)).toBe("1");
  const seen = await seeThrough(obs, "overlay-page-title");
  expect(seen.nothing, "most of it lets OBS's own picture through").toBeGreaterThan(seen.all * 0.8);
  expect(seen.panel, "the panel lets some of it through").toBeGreaterThan(10_000);
  expect(seen.words).toBeGreaterThan(2_000);
  expect(await obs.locator("b, script:not([src]), img:not([data-overlay])").count()).toBe(0);
  expect(dialogs).toBe(0);

  await other.page.bringToFront();
  await onPicture(other.page, "lower_third").click();
  await expect(onPicture(page, "lower_third")).toHaveAttribute("aria-checked", "false");
  await obs.bringToFront();
  await expect(shownOn(obs, "lower_third")).toHaveCount(0);
  await page.bringToFront();
  await expect.poll(() => covered(program)).toBe(false);
});

test("the page comes back with the engine, and a wrong token sees nothing", async ({ desk, page, engine }) => {
  await prepareTitle(page, "Maya", "");
  await page.getByRole("button", { name: "Show on the picture" }).click();
  await expect(onPicture(page, "lower_third")).toHaveAttribute("aria-checked", "true");
  await page.keyboard.press("Escape");
  const obs = await openPage(page);
  await expect(shownOn(obs, "lower_third")).toBeVisible();
  const link = obs.url();
  await engine.kill();
  await engine.start();
  await expect(desk.lamp()).toBeVisible();
  await page.bringToFront();
  await expect(onPicture(page, "lower_third"), "ready, and not shown: it is another day").toHaveAttribute("aria-checked", "false");
  await onPicture(page, "lower_third").click();
  await obs.bringToFront();
  await expect(shownOn(obs, "lower_third")).toBeVisible({ timeout: 20_000 });
  await obs.goto("about:blank");
  await obs.goto(link.replace(/token=.*/, "token=wrong"));
  await expect(obs.locator("html")).toHaveAttribute("data-state", "refused");
  await expect(obs.locator("img")).toHaveCount(0);
});

test("a chosen message is on the picture by one key, as text, and goes when it is deleted", async ({ desk, page, viewer }) => {
  const ada = await viewer("Ada");
  await page.getByRole("tab", { name: "Chat" }).click();
  for (const text of ["Bonsoir", EVIL]) {
    await ada.locator("#chat-text").fill(text);
    await ada.locator("#chat-text").press("Enter");
    await expect(page.locator(".right .msg", { hasText: text })).toBeVisible();
  }
  const obs = await openPage(page);
  await page.bringToFront();
  await page.getByRole("log", { name: "Messages" }).focus();
  await page.keyboard.press("End");
  await page.keyboard.press("o");
  await expect(onPicture(page, "chat_message")).toHaveAttribute("aria-checked", "true");
  await expect(onPicture(page, "chat_message")).toContainText("Ada");
  await expect(shownOn(obs, "chat_message")).toHaveAttribute("alt", `Ada, ${EVIL}`);
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("o");
  await expect(shownOn(obs, "chat_message"), "another one takes its place").toHaveAttribute("alt", "Ada, Bonsoir");
  await page.keyboard.press("d");
  await expect(shownOn(obs, "chat_message"), "deleted is deleted everywhere").toHaveCount(0);
  await expect(onPicture(page, "chat_message")).toHaveAttribute("aria-checked", "false");
});

test("a featured product comes by itself once that is switched on", async ({ desk, page, shop }) => {
  await connect(page, shop);
  await choose(page, "Nocturne LP", "Tour T-shirt");
  await productRow(page, "Nocturne LP").locator(".pick").click();
  await expect(onPicture(page, "product_card"), "offered, and off at first").toHaveAttribute("aria-checked", "false");
  const obs = await openPage(page);
  await page.bringToFront();
  await setUp(page).click();
  await kindTab(page, "Product card").click();
  await page.getByRole("switch", { name: "The featured product comes by itself" }).click();
  await page.keyboard.press("Escape");
  await expect(onPicture(page, "product_card")).toHaveAttribute("aria-checked", "true");
  await expect(shownOn(obs, "product_card")).toHaveAttribute("alt", /Nocturne LP, signed, Double vinyl, 300 copies, €32\.30, Only 18 left/);
  await page.screenshot({ path: path.join(ARTIFACTS, "desk", "overlays-product.png") });
  await obs.bringToFront();
  await seeThrough(obs, "overlay-page-product");
  await page.bringToFront();
  await productRow(page, "Tour T-shirt").locator(".pick").click();
  await expect(shownOn(obs, "product_card")).toHaveAttribute("alt", /Tour T-shirt, .*Only 3 left/);
  await page.getByRole("tab", { name: /^Products/ }).focus();
  await page.keyboard.press("0");
  await expect(shownOn(obs, "product_card")).toHaveCount(0);
});

async function look(page: Page, name: string) {
  await page.screenshot({ path: path.join(ARTIFACTS, "desk", `${name}.png`) });
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target).join(" ")}`), name).toEqual([]);
}

/** Everything at once, with the longest words, and a logo. */
async function fill(page: Page, engine: Engine) {
  const logo = path.join(engine.folder, "logo.svg");
  await writeFile(logo, '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 60"><rect width="120" height="60" rx="12" fill="#e6b8ff"/><circle cx="30" cy="30" r="16" fill="#111318"/></svg>');
  const dialog = page.getByRole("dialog");
  const primary = dialog.locator(".overlay-acts .btn-primary");
  const shown = async (kind: string, put: () => Promise<void>) => {
    await dialog.getByRole("tab").nth(["product_card", "chat_message", "lower_third", "logo", "countdown", "goal"].indexOf(kind)).click();
    await put();
    await primary.click();
    await expect(onPicture(page, kind)).toHaveAttribute("aria-checked", "true");
  };
  await setUp(page).click();
  await shown("lower_third", async () => {
    await dialog.locator("input").nth(0).fill(LONG);
    await dialog.locator("input").nth(1).fill("مرحبا بكم في المتجر");
  });
  await shown("logo", () => dialog.locator("input").nth(0).fill(logo));
  await shown("countdown", () => dialog.locator("input").nth(0).fill("Fin de l’offre"));
  await shown("goal", async () => {
    await dialog.locator("input").nth(0).fill("Pressage du deuxième disque");
    await dialog.locator("input").nth(1).fill("420");
    await dialog.locator("input").nth(2).fill("1000");
    await dialog.locator("input").nth(3).fill("€");
  });
}

for (const [locale, width, height] of [["en-GB", 1440, 900], ["fr-FR", 1180, 760], ["fr-FR", 1440, 900], ["en-GB", 1180, 760]] as const) {
  test.describe(`${locale} ${width}`, () => {
    test.use({ locale, viewport: { width, height } });
    test("everything is there, readable and operable", async ({ desk, page, engine }) => {
      const name = `overlays-${locale.slice(0, 2)}-${width}`;
      await look(page, `${name}-empty`);
      await fill(page, engine);
      for (const [at, what] of ["card", "chat", "title", "logo", "countdown", "goal", "look", "page"].entries()) {
        await page.getByRole("dialog").getByRole("tab").nth(at).click();
        await look(page, `${name}-${what}`);
      }
      await page.keyboard.press("Escape");
      await expect(page.getByRole("dialog")).toHaveCount(0);
      await look(page, name);
      await page.getByRole("switch", { name: /^(Studio mode|Mode studio)$/ }).click();
      await look(page, `${name}-studio`);
      const small = await box(page).locator(".switch").evaluateAll((rows) => rows.filter((row) => row.scrollWidth > row.clientWidth + 1).map((row) => row.textContent));
      expect(small, "words are cut with dots, not by the edge").toEqual([]);
    });
  });
}

test("the page of overlays has no fault for those who cannot see it", async ({ desk, page }) => {
  await prepareTitle(page, "Maya", "");
  await page.getByRole("button", { name: "Show on the picture" }).click();
  await page.keyboard.press("Escape");
  const obs = await openPage(page);
  await expect(shownOn(obs, "lower_third")).toBeVisible();
  // A page without words has no heading; everything else must hold.
  const { violations } = await new AxeBuilder({ page: obs }).disableRules(["page-has-heading-one"]).analyze();
  expect(violations.map(({ id }) => id)).toEqual([]);
});
