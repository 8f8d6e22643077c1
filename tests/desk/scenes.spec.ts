import { expect, painted, test } from "./support";

test("scenes are made, named, chosen by key, brought into order and removed", async ({ desk, page }) => {
  const scenes = desk.region("Scenes");
  const names = scenes.locator(".name");
  const before = await names.count();
  await scenes.getByRole("button", { name: "New scene" }).click();
  await expect(names).toHaveCount(before + 1);

  await scenes.getByRole("listitem").last().getByRole("button").first().focus();
  await page.keyboard.press("F2");
  await page.keyboard.type("Encore");
  await page.keyboard.press("Enter");
  await expect(names.last()).toHaveText("Encore");

  await page.locator("#main").focus();
  await page.keyboard.press(String(before + 1));
  await expect(desk.sceneRow("Encore")).toHaveClass(/is-program/);

  await desk.sceneRow("Encore").getByRole("button").first().focus();
  await page.keyboard.press("Alt+ArrowUp");
  await expect(names.nth(before - 1)).toHaveText("Encore");
  await expect(page.locator("[data-spoken]")).toHaveText(`Encore, ${before} of ${before + 1}`);

  // Back down, by hand this time.
  const grip = desk.sceneRow("Encore").locator(".grip");
  const last = await scenes.getByRole("listitem").last().boundingBox();
  await grip.hover();
  await page.mouse.down();
  await page.mouse.move(last!.x + 20, last!.y + last!.height - 2, { steps: 5 });
  await page.mouse.up();
  await expect(names.last()).toHaveText("Encore");

  await page.locator("#main").focus();
  await page.keyboard.press("1");
  await expect(desk.sceneRow("Encore")).not.toHaveClass(/is-program/);
  await desk.choose(desk.sceneRow("Encore"), "Duplicate");
  await expect(names.last()).toHaveText("Encore copy");
  await desk.choose(desk.sceneRow("Encore copy"), "Remove");
  await expect(names).toHaveCount(before + 1);
});

test("studio mode takes the next scene by cut and fade, from the keyboard", async ({ desk, page }) => {
  await desk.addSource("Test card", "Bars");
  await desk.choose(desk.region("Scenes").getByRole("listitem").first(), "Duplicate");
  await page.getByRole("switch", { name: "Studio mode" }).click();
  const picture = page.getByRole("figure", { name: /^Preview/ }).locator("canvas");
  await expect.poll(() => painted(picture), "the scene on air is also the next one").toBe(true);
  await page.locator("#main").focus();
  await page.keyboard.press("2");
  const second = desk.region("Scenes").getByRole("listitem").nth(1);
  await expect(second).toHaveClass(/is-preview/);
  await expect(second).not.toHaveClass(/is-program/);
  await expect.poll(() => painted(picture), "the next scene is another one").toBe(true);
  await page.locator("#main").focus();
  await page.keyboard.press("Enter");
  await expect(second).toHaveClass(/is-program/);
  await page.keyboard.press("1");
  await page.keyboard.press("Space");
  await expect(desk.region("Scenes").getByRole("listitem").nth(0)).toHaveClass(/is-program/);
  await desk.button("Preview beside the program").click();
  const [preview, program] = await Promise.all([
    page.getByRole("figure", { name: /^Preview/ }).boundingBox(),
    page.getByRole("figure", { name: /^Program/ }).boundingBox(),
  ]);
  expect(preview!.x).toBeLessThan(program!.x);
  expect(Math.abs(preview!.width - program!.width)).toBeLessThan(2);
});
