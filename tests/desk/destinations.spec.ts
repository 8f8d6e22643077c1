import { mkdir, readdir } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "./support";

const KEY = "canary-key-2c9f";

test("a server with its key is added, and the key never comes back", async ({ desk, page, engine }) => {
  const frames: string[] = [];
  page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => frames.push(String(payload))));
  await page.reload();
  await desk.page.getByRole("complementary").getByRole("button", { name: "Add a destination" }).first().click();
  await desk.dialog().getByRole("button", { name: /RTMP server/ }).click();
  await desk.dialog().getByLabel("Name").fill("My server");
  await desk.dialog().getByLabel("Address").fill("rtmp://127.0.0.1/live");
  await desk.dialog().getByLabel("Stream key").fill(KEY);
  await desk.dialog().getByRole("button", { name: "Add", exact: true }).click();
  await expect(desk.dialog()).toBeHidden();
  const row = page.locator("[data-destination]").filter({ hasText: "My server" });
  await expect(row).toContainText("rtmp://127.0.0.1/live");
  await row.getByRole("button").first().click();
  await expect(desk.dialog().getByLabel("Stream key")).toHaveValue("");
  await expect(desk.dialog().getByText("A key is kept.")).toBeVisible();
  await page.keyboard.press("Escape");
  await page.reload();
  await expect(row).toBeVisible();
  expect(frames.join(""), "no event carries the key").not.toContain(KEY);
  expect(engine.at.desk).not.toContain(KEY);
});

test("an address that is none is said in the form", async ({ desk, page }) => {
  await page.getByRole("complementary").getByRole("button", { name: "Add a destination" }).first().click();
  await desk.dialog().getByRole("button", { name: /RTMP server/ }).click();
  await desk.dialog().getByLabel("Address").fill("https://example.org/live");
  await expect(desk.dialog().getByRole("button", { name: "Add", exact: true })).toBeDisabled();
});

test("a recording is made, split, paused, and said where it is", async ({ desk, page, engine }) => {
  const folder = path.join(engine.folder, "recordings");
  await mkdir(folder);
  await page.getByRole("switch", { name: "StreamCore goes live with the show" }).click();
  await desk.choose(page.locator("[data-destination]").filter({ hasText: "Recording" }), "Remove");
  await page.getByRole("complementary").getByRole("button", { name: "Add a destination" }).first().click();
  await desk.dialog().getByRole("button", { name: /Recording/ }).click();
  await desk.dialog().getByLabel("Folder").fill(folder);
  await desk.dialog().getByRole("button", { name: "Add", exact: true }).click();
  await expect(desk.dialog()).toBeHidden();
  await desk.addSource("Test card", "Bars");
  await desk.button("Go live").click();
  const chip = page.locator("[data-output]").filter({ hasText: "Recording" });
  await expect(chip).toHaveAttribute("data-output-state", "live", { timeout: 20_000 });
  await chip.click();
  await desk.button("New file").click();
  await expect(desk.dialog().getByText(/^2 files/)).toBeVisible({ timeout: 15_000 });
  await desk.button("Pause").click();
  await expect(chip).toHaveAttribute("data-output-state", "paused");
  await desk.button("Go on").click();
  await expect(chip).toHaveAttribute("data-output-state", "live");
  await page.keyboard.press("Escape");
  await desk.button(/^End show/).focus();
  // Several files are named by their folder: the last one alone would not be the show.
  await expect(page.getByText(`Saved so far: 2 files in ${folder}`)).toBeVisible();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await expect(desk.lamp()).toHaveAttribute("data-phase", "off_air", { timeout: 20_000 });
  await expect(page.getByText(`Saved: 2 files in ${folder}`)).toBeVisible();
  expect((await readdir(folder)).filter((name) => name.endsWith(".mp4")).length).toBeGreaterThanOrEqual(2);
});

test("the watch page has a link and a code", async ({ desk, page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const link = page.locator("[data-watch-link]");
  await expect(link).toContainText("/watch/");
  await expect(page.getByRole("img", { name: /QR code/ })).toBeVisible();
  await desk.button("Copy").click();
  await expect(desk.button("Copied")).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(await link.textContent());
});

test("a destination is switched off and removed", async ({ desk, page }) => {
  const row = page.locator("[data-destination]").filter({ hasText: "StreamCore" });
  await row.getByRole("switch").click();
  await expect(row.getByRole("switch")).toHaveAttribute("aria-checked", "false");
  await expect(page.locator("[data-output]").filter({ hasText: "StreamCore" })).toContainText("Off in this show");
  await desk.choose(row, "Remove");
  await expect(row).toBeHidden();
  await desk.choose(page.locator("[data-destination]").filter({ hasText: "Recording" }), "Remove");
  await expect(page.getByText("Nowhere to go yet.")).toBeVisible();
});
