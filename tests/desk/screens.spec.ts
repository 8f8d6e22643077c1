import { AxeBuilder } from "@axe-core/playwright";
import path from "node:path";
import type { Page } from "@playwright/test";
import { ARTIFACTS, Desk, expect, film, test } from "./support";

/** Every screen, in both languages, at both sizes: no violation that axe finds, nothing cut off, and a picture to look at. */
const SIZES = [
  { width: 1440, height: 900 },
  { width: 1180, height: 760 },
];
const LOCALES = { en: "en-GB", fr: "fr-FR" };

async function check(page: Page, name: string) {
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: path.join(ARTIFACTS, "desk", `${name}.png`) });
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(" ")).join(", ")}`), name).toEqual([]);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(wide, `${name} fits in its window`).toBeLessThanOrEqual(0);
  expect(await cut(page), `${name}: fields show all that is in them`).toEqual([]);
}

/** Fields and choices whose words are wider than they are. */
const cut = (page: Page) =>
  page.evaluate(() => {
    const pen = document.createElement("canvas").getContext("2d")!;
    return [...document.querySelectorAll<HTMLInputElement | HTMLSelectElement>("input.input-s, select.input")].flatMap((field) => {
      const style = getComputedStyle(field);
      pen.font = style.font;
      const words = field instanceof HTMLSelectElement ? (field.selectedOptions[0]?.text ?? "") : field.value;
      // The arrow of a choice stands in its padding.
      const room = field.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
      const wide = pen.measureText(words).width;
      return field.checkVisibility() && wide > room + 0.5 ? [`${words}: ${wide.toFixed(1)} px in ${room.toFixed(1)} px`] : [];
    });
  });

for (const [language, locale] of Object.entries(LOCALES)) {
  for (const size of SIZES) {
    const at = `${language}-${size.width}`;
    test.describe(at, () => {
      test.use({ locale, viewport: size });

      test("first-run steps", async ({ page, engine }) => {
        await new Desk(page).open(engine, { skip: false });
        for (const step of [1, 2, 3]) {
          await page.locator(".steps button").nth(step - 1).click();
          if (step === 2) await page.locator('[data-choice="rtmp"] [role="checkbox"]').click();
          await check(page, `welcome-${step}-${at}`);
        }
      });

      test("desk, dialogs and a show", async ({ desk, page }) => {
        test.setTimeout(300_000);
        await check(page, `desk-empty-${at}`);
        await fill(page);
        await page.getByRole("switch", { name: /studio/i }).click();
        await check(page, `desk-studio-${at}`);
        await page.locator(".stage [aria-pressed]").first().click();
        await check(page, `desk-beside-${at}`);
        await page.locator(".stage [aria-pressed]").first().click();

        for (const [name, open] of Object.entries(dialogs(page))) {
          await open();
          await expect(page.getByRole("dialog")).toBeVisible();
          await check(page, `${name}-${at}`);
          await page.keyboard.press("Escape");
          await expect(page.getByRole("dialog")).toBeHidden();
        }
        for (const kind of [0, 5, 7]) {
          await page.locator(".left section:nth-child(2) .head .ib").click();
          await page.locator(".kind").nth(kind).click();
          await check(page, `add-source-${kind}-${at}`);
          await page.keyboard.press("Escape");
        }

        await page.locator("[data-destination]").nth(1).getByRole("switch").click();
        await page.locator(".topbar .btn-primary").click();
        await expect(desk.lamp()).toHaveAttribute("data-phase", "live", { timeout: 20_000 });
        await check(page, `desk-live-${at}`);
        await page.locator("[data-output]").first().click();
        await check(page, `output-${at}`);
        await page.keyboard.press("Escape");
        await page.locator(".btn-end").focus();
        await check(page, `ending-${at}`);
      });
    });
  }
}

test.describe("light", () => {
  test("the desk in daylight", async ({ desk, page, engine }) => {
    await page.goto(`${engine.at.address}/?theme=light`);
    await expect(page.locator("html")).toHaveAttribute("data-theme", "light");
    await fill(page);
    await check(page, "desk-light");
    await desk.button("Settings").click();
    await check(page, "settings-light");
  });
});

const dialogs = (page: Page) => ({
  settings: () => page.locator(".topbar .ib").last().click(),
  keys: () => page.locator(".topbar .ib").first().click(),
  commands: () => page.keyboard.press("Control+k"),
  "add-source": () => page.locator(".left section:nth-child(2) .head .ib").click(),
  "add-destination": () => page.locator(".right .head .ib").first().click(),
});

/** Some of everything, in whatever language the desk is. */
async function fill(page: Page) {
  const add = async (kind: number, values: Record<string, string> = {}) => {
    await page.locator(".left section:nth-child(2) .head .ib").click();
    await page.locator(".kinds .kind").nth(kind).click();
    for (const [selector, value] of Object.entries(values)) await page.getByRole("dialog").locator(selector).fill(value);
    await page.getByRole("dialog").locator(".btn-primary").click();
    await expect(page.getByRole("dialog")).toBeHidden();
  };
  await add(5, { 'input[type="text"] >> nth=0': film() });
  await add(9);
  await add(3);
  await add(7, { textarea: "Nocturne" });
  await page.locator(".left section:nth-child(1) .head .ib").click();
  const rows = page.locator(".source .pick");
  await expect(rows).toHaveCount(4);
  await rows.first().click();
  // As long as such numbers get by hand: four figures, a sign and a decimal.
  for (const [key, value] of [["width", "1480.5"], ["height", "270.3"], ["x", "-1000.5"], ["y", "441.9"], ["rotation", "-12.5"]] as const) {
    await page.locator(`[data-field="${key}"]`).fill(value);
    await page.locator(`[data-field="${key}"]`).press("Enter");
    await expect(page.locator(`[data-field="${key}"]`)).toHaveValue(value.replace("-", "−").replace(".", (await page.locator("html").getAttribute("lang")) === "fr" ? "," : "."));
  }
}
