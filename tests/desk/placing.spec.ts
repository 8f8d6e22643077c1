import type { Locator, Page } from "@playwright/test";
import { expect, test } from "./support";

const field = (page: Page, key: string) => page.locator(`[data-field="${key}"]`);
const number = async (locator: Locator) => Number((await locator.inputValue()).replace("−", "-"));

async function dragBy(page: Page, from: Locator, dx: number, dy: number) {
  const box = (await from.boundingBox())!;
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  for (let i = 1; i <= 8; i++) await page.mouse.move(x + (dx * i) / 8, y + (dy * i) / 8);
  await page.mouse.up();
}

test.beforeEach(async ({ desk, page }) => {
  await desk.addColour("Plate");
  await desk.sourceRow("Plate").getByRole("button").first().click();
  // Half as wide and high, away from every line that would draw it.
  for (const [key, value] of [["width", "640"], ["height", "360"], ["x", "101"], ["y", "57"]] as const) {
    await field(page, key).fill(value);
    await field(page, key).press("Enter");
    await expect(field(page, key)).toHaveValue(value);
  }
});

test("a drag moves the picture, and is one step of undo and redo", async ({ desk, page }) => {
  const place = desk.hands().locator(".place.is-selected");
  const scale = 1280 / (await desk.hands().boundingBox())!.width;
  await dragBy(page, place, 60, 47);
  await expect.poll(() => number(field(page, "x"))).toBeGreaterThan(101 + 60 * scale - 3);
  const moved = [await field(page, "x").inputValue(), await field(page, "y").inputValue()];
  expect(Number(moved[0])).toBeLessThan(101 + 60 * scale + 3);

  await page.locator("#main").focus();
  await page.keyboard.press("Control+z");
  await expect(field(page, "x")).toHaveValue("101");
  await expect(field(page, "y")).toHaveValue("57");
  await page.keyboard.press("Control+Shift+z");
  await expect(field(page, "x")).toHaveValue(moved[0]!);
  await expect(field(page, "y")).toHaveValue(moved[1]!);
});

test("arrow keys move by a pixel, with Shift by ten, and are undone together", async ({ desk, page }) => {
  await desk.hands().locator(".place.is-selected").focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Shift+ArrowDown");
  await expect(field(page, "x")).toHaveValue("103");
  await expect(field(page, "y")).toHaveValue("67");
  await desk.button("Undo").click();
  await expect(field(page, "x")).toHaveValue("101");
  await expect(field(page, "y")).toHaveValue("57");
});

test("handles resize and keep the shape; Alt crops instead", async ({ desk, page }) => {
  await dragBy(page, page.locator('[data-handle="se"]'), 50, 10);
  await expect.poll(() => number(field(page, "width"))).toBeGreaterThan(700);
  expect((await number(field(page, "width"))) / (await number(field(page, "height")))).toBeCloseTo(16 / 9, 1);
  expect(await number(field(page, "x"))).toBe(101);

  const width = await number(field(page, "width"));
  await page.keyboard.down("Alt");
  await dragBy(page, page.locator('[data-handle="w"]'), 60, 0);
  await page.keyboard.up("Alt");
  await expect.poll(() => number(field(page, "x"))).toBeGreaterThan(180);
  expect(await number(field(page, "width"))).toBeLessThan(width - 80);

  await dragBy(page, page.locator('[data-handle="turn"]'), 200, 200);
  await expect.poll(() => number(field(page, "rotation"))).not.toBe(0);
  await desk.button("Fill").click();
  await expect(field(page, "rotation")).toHaveValue("0");
  await expect(field(page, "width")).toHaveValue("1280");
});

test("a locked picture stays where it is; a hidden one is out of reach", async ({ desk, page }) => {
  await desk.sourceRow("Plate").hover();
  await desk.button("Lock Plate").click();
  await expect(page.locator("[data-handle]")).toHaveCount(0);
  await expect(field(page, "x")).toBeDisabled();
  await desk.button("Unlock Plate").click();
  await desk.button("Hide Plate").click();
  await expect(desk.hands().locator(".place")).toHaveCount(0);
  await desk.button("Show Plate").click();
  await expect(desk.hands().locator(".place")).toHaveCount(1);
});

test("numbers that are typed faster than the engine answers are all kept", async ({ page }) => {
  await page.evaluate(() => {
    for (const [key, value] of [["x", "200"], ["y", "300"], ["width", "400.5"]] as const) {
      const input = document.querySelector<HTMLInputElement>(`[data-field="${key}"]`)!;
      input.value = value;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });
  await page.reload();
  await page.locator(".source .pick").first().click();
  for (const [key, value] of [["x", "200"], ["y", "300"], ["width", "400.5"], ["height", "360"]] as const) await expect(field(page, key)).toHaveValue(value);
});
