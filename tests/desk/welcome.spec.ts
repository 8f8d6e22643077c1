import { Desk, expect, painted, test } from "./support";

test("three steps lead from nothing to a show on air", async ({ page, engine }) => {
  const desk = new Desk(page);
  await desk.open(engine, { skip: false });
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("What should people see and hear?");
  await page.getByRole("checkbox", { name: /Test card/ }).click();
  await desk.button("Continue").click();

  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Where should it go?");
  await expect(page.getByRole("checkbox", { name: "StreamCore" })).toBeChecked();
  await page.getByRole("checkbox", { name: "Recording" }).click();
  await desk.button("Continue").click();

  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Check, then go");
  await expect(page.getByRole("listitem").filter({ hasText: "Picture" })).toContainText("Test card");
  await desk.button("Go live").click();

  await expect(desk.lamp()).toHaveAttribute("data-phase", "live", { timeout: 20_000 });
  await expect(desk.sourceRow("Test card")).toBeVisible();
  await expect.poll(() => painted(page.locator(".picture > canvas"))).toBe(true);
});

test("a server needs its address before the show can start, and a key is typed into dots", async ({ page, engine }) => {
  const desk = new Desk(page);
  await desk.open(engine, { skip: false });
  await desk.button(/Where to/).click();
  await page.getByRole("checkbox", { name: "RTMP server" }).click();
  await expect(page.getByLabel("Stream key")).toHaveAttribute("type", "password");
  await desk.button(/Ready/).click();
  await expect(page.getByText("The server still needs its address.")).toBeVisible();
  await expect(desk.button("Go live")).toBeDisabled();
});

test("the steps can be skipped, and stay away", async ({ page, engine }) => {
  const desk = new Desk(page);
  await desk.open(engine);
  await page.reload();
  await expect(desk.lamp()).toHaveAttribute("data-phase", "off_air");
  expect(page.url(), "the token is not in the address bar").not.toContain("token");
});
