import { writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, film, test } from "./support";

test("every kind of source is added with its settings", async ({ desk, engine }) => {
  const svg = path.join(engine.folder, "plate.svg");
  await writeFile(svg, '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="36"><rect width="64" height="36" fill="#4560e0"/></svg>');
  await desk.addSource("Colour", "A colour");
  await desk.addSource("Test card", "A card", (dialog) => dialog.getByLabel("Tone in Hz").fill("1000"));
  await desk.addSource("Text", "Some words", (dialog) => dialog.getByLabel("Words").fill("Good evening\nLyon"));
  await desk.addSource("Picture", "A picture", (dialog) => dialog.getByLabel("File").fill(svg));
  await desk.addSource("Media file", "A film", (dialog) => dialog.getByLabel("File").fill(film()));
  // Devices may be there or not; either way the row says how they are.
  for (const kind of ["Camera", "Microphone", "Screen", "Sound of this computer"]) {
    await desk.addSource(kind, `My ${kind}`);
    await expect(desk.sourceRow(`My ${kind}`).locator("small")).not.toBeEmpty();
  }
  const dialog = await desk.adding("Window");
  const windows = dialog.getByLabel("Device");
  const choices = await windows.locator("option:not([disabled])").count();
  await expect(dialog.getByRole("button", { name: "Add", exact: true }), "no window is chosen yet").toBeDisabled();
  if (choices > 0) {
    await windows.selectOption({ index: 1 });
    await dialog.getByRole("button", { name: "Add", exact: true }).click();
    await expect(dialog).toBeHidden();
  } else {
    await expect(dialog.getByText("None is connected right now.")).toBeVisible();
  }
});

test("settings are changed, and what is wrong with them is said in the form", async ({ desk, page }) => {
  await desk.addSource("Test card", "Card", (dialog) => dialog.getByLabel("Tone in Hz").fill("0"));
  await desk.choose(desk.sourceRow("Card"), "Settings");
  await desk.dialog().getByLabel("Tone in Hz").fill("440");
  await desk.dialog().getByLabel("Name").fill("Bars and tone");
  await desk.dialog().getByRole("button", { name: "Save" }).click();
  await expect(desk.dialog()).toBeHidden();
  await desk.choose(desk.sourceRow("Bars and tone"), "Settings");
  await expect(desk.dialog().getByLabel("Tone in Hz")).toHaveValue("440");
  await page.keyboard.press("Escape");
  await expect(desk.dialog()).toBeHidden();
});

test("a file that is not there is said in words, and the row says so too", async ({ desk, page }) => {
  const dialog = await desk.adding("Media file");
  await dialog.getByLabel("File").fill("/nowhere/film.mp4");
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await expect(page.getByText("The file is not there").first()).toBeVisible();
});

test("the engine's folders are browsed for a file", async ({ desk }) => {
  const dialog = await desk.adding("Media file");
  await dialog.getByLabel("File").fill(film());
  await dialog.getByRole("button", { name: "Browse…" }).click();
  await dialog.getByRole("button", { name: path.basename(film()) }).click();
  await expect(dialog.getByLabel("File")).toHaveValue(film());
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await expect(desk.sourceRow(path.parse(film()).name)).toBeVisible();
});

test("a source is renamed, taken out, placed again and removed", async ({ desk, page }) => {
  await desk.addColour("Plate");
  await desk.sourceRow("Plate").getByRole("button").first().focus();
  await page.keyboard.press("F2");
  await page.keyboard.type("Backdrop");
  await page.keyboard.press("Enter");
  await desk.choose(desk.sourceRow("Backdrop"), "Take out of this scene");
  await expect(desk.sourceRow("Backdrop")).toBeHidden();
  await desk.region("Sources").getByRole("button", { name: "Add a source" }).first().click();
  await desk.dialog().getByRole("button", { name: "Backdrop" }).click();
  await expect(desk.sourceRow("Backdrop")).toBeVisible();
  await desk.choose(desk.sourceRow("Backdrop"), "Remove from the studio");
  await expect(desk.sourceRow("Backdrop")).toBeHidden();
});

test("a media file pauses and jumps", async ({ desk, page }) => {
  await desk.addSource("Media file", "A film", (dialog) => dialog.getByLabel("File").fill(film()));
  await desk.sourceRow("A film").getByRole("button").first().click();
  await desk.button("Pause").click();
  await expect(desk.button("Play")).toBeVisible();
  const position = page.getByRole("slider", { name: "Place in the file" });
  await position.fill("3000");
  await expect.poll(async () => Number(await position.inputValue())).toBeGreaterThanOrEqual(2000);
  await desk.button("Play").click();
  await expect(desk.button("Pause")).toBeVisible();
});
