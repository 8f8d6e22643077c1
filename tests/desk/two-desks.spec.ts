import { Desk, expect, test } from "./support";

test("a second desk stays in step with the first", async ({ desk, engine, browser }) => {
  const context = await browser.newContext({ locale: "fr-FR" });
  const page = await context.newPage();
  const second = new Desk(page);
  await second.open(engine);
  await desk.button(/Title of the show/).click();
  await desk.page.getByRole("textbox", { name: "Title of the show" }).fill("Nocturne");
  await desk.page.keyboard.press("Enter");
  await expect(page.getByText("Nocturne", { exact: true })).toBeVisible();
  await expect(page).toHaveTitle(/Nocturne/);

  await desk.addColour("Plate");
  await expect(page.getByRole("region", { name: "Sources" }).getByText("Plate")).toBeVisible();
  await page.getByRole("button", { name: "Nouvelle scène" }).click();
  await expect(page.getByRole("region", { name: "Scènes" }).getByRole("listitem")).toHaveCount(2);
  await expect(desk.region("Scenes").getByRole("listitem")).toHaveCount(2);
  await context.close();
});

test("a wrong token is refused in words, with what to do", async ({ engine, page }) => {
  await page.goto(`${engine.at.address}/#token=wrong`);
  await expect(page.getByText("This desk has no right to enter")).toBeVisible();
});
