import { expect, test } from "./support";

test("the show goes live, says what stops, and ends only when it is meant", async ({ desk, page }) => {
  await desk.onlyStreamCore();
  await desk.addSource("Test card", "Bars");
  await desk.button("Go live").click();
  await expect(desk.lamp()).toHaveAttribute("data-phase", "live", { timeout: 20_000 });
  await expect(desk.lamp()).toContainText(/00:00:\d\d/);
  await expect(page.locator("[data-output]").first()).toHaveAttribute("data-output-state", "live");

  const end = desk.button(/^End show/);
  await end.hover();
  await expect(page.getByText("Stops: StreamCore.")).toBeVisible();
  await end.click();
  await expect(desk.lamp(), "a click ends nothing").toHaveAttribute("data-phase", "live");

  await end.focus();
  await page.keyboard.press("Enter");
  await expect(desk.button("Press Enter again to end")).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(desk.lamp()).toHaveAttribute("data-phase", "off_air", { timeout: 20_000 });
  await expect(page.getByText("The show has ended.")).toBeVisible();
});

test("holding the button for a second ends the show", async ({ desk, page }) => {
  await desk.onlyStreamCore();
  await desk.addColour("Blue");
  await desk.button("Go live").click();
  await expect(desk.lamp()).toHaveAttribute("data-phase", "live", { timeout: 20_000 });
  await desk.button(/^End show/).hover();
  await page.mouse.down();
  await expect(desk.lamp()).not.toHaveAttribute("data-phase", "live", { timeout: 5_000 });
  await page.mouse.up();
  await expect(desk.lamp()).toHaveAttribute("data-phase", "off_air", { timeout: 20_000 });
});

test("without a destination it says what to do", async ({ desk, page }) => {
  for (const on of await page.getByRole("switch", { name: /goes live with the show/ }).all()) {
    if ((await on.getAttribute("aria-checked")) === "true") await on.click();
  }
  await expect(desk.button("Go live")).toHaveAttribute("aria-disabled", "true");
  await desk.button("Go live").click({ force: true });
  await expect(page.getByText("There is nowhere to go live")).toBeVisible();
  await desk.button("Dismiss").click();
  await expect(page.getByText("There is nowhere to go live")).toBeHidden();
});
