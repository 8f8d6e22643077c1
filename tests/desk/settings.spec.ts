import { expect, test } from "./support";

test("the canvas is turned upright, and the picture with it", async ({ desk, page }) => {
  await desk.button("Settings").click();
  await desk.dialog().getByLabel("Size").selectOption("720x1280");
  await desk.dialog().getByLabel("Frames a second").selectOption("25");
  await desk.dialog().getByLabel("Video, kb/s").fill("2500");
  await desk.dialog().getByRole("button", { name: "Save" }).click();
  await expect(desk.dialog()).toBeHidden();
  await expect(page.getByText("720 × 1280, 25 fps")).toBeVisible();
  const box = (await page.getByRole("figure", { name: /^Program/ }).boundingBox())!;
  expect(box.width / box.height).toBeCloseTo(9 / 16, 1);
});

test("a size that is no canvas cannot be saved", async ({ desk }) => {
  await desk.button("Settings").click();
  await desk.dialog().getByLabel("Size").selectOption("custom");
  await desk.dialog().getByLabel("Width").fill("1281");
  await expect(desk.dialog().getByText("Both sides must be even")).toBeVisible();
  await expect(desk.dialog().getByRole("button", { name: "Save" })).toBeDisabled();
});

test("encoders that were found are shown with their cost, and one can be named", async ({ desk }) => {
  await desk.button("Settings").click();
  const encoders = desk.dialog().getByRole("radio");
  await expect.poll(() => encoders.count(), { timeout: 20_000 }).toBeGreaterThan(1);
  await encoders.nth(1).check();
  await desk.dialog().getByRole("button", { name: "Save" }).click();
  await desk.button("Settings").click();
  await expect(encoders.nth(1)).toBeChecked();
});

test("on air the canvas is locked, and why is said", async ({ desk }) => {
  await desk.onlyStreamCore();
  await desk.addColour("Blue");
  await desk.button("Go live").click();
  await expect(desk.lamp()).toHaveAttribute("data-phase", "live", { timeout: 20_000 });
  await desk.button("Settings").click();
  await expect(desk.dialog().getByText(/On air, canvas and encoder stay as they are/)).toBeVisible();
  await expect(desk.dialog().getByLabel("Size")).toBeDisabled();
  await expect(desk.dialog().getByLabel("Video, kb/s")).toBeEnabled();
});

test("the language changes live and is remembered", async ({ desk, page }) => {
  await desk.button("FR, Français").click();
  await expect(page.getByRole("button", { name: "Passer à l’antenne" })).toBeVisible();
  await expect(page.locator("html")).toHaveAttribute("lang", "fr");
  await page.reload();
  await expect(page.getByRole("button", { name: "Passer à l’antenne" })).toBeVisible();
});

test("keys and commands are listed, and letter keys can be turned off", async ({ desk, page }) => {
  await page.locator("#main").focus();
  await page.keyboard.press("?");
  await expect(desk.dialog().getByText("Fade to the preview")).toBeVisible();
  await desk.dialog().getByRole("switch", { name: "Letter and digit keys" }).click();
  await page.keyboard.press("Escape");
  await page.locator("#main").focus();
  await page.keyboard.press("?");
  await expect(desk.dialog()).toBeHidden();
  await page.keyboard.press("Control+k");
  await page.keyboard.type("studio");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("switch", { name: "Studio mode" })).toHaveAttribute("aria-checked", "true");
});
