import { writeFile } from "node:fs/promises";
import path from "node:path";
import type { Page } from "@playwright/test";
import { Desk, expect, film, test, type Engine } from "./support";

const field = (page: Page, key: string) => page.locator(`[data-field="${key}"]`);
const number = async (page: Page, key: string) => Number((await field(page, key).inputValue()).replace("−", "-"));

/** A point of the picture, as fractions of it, in pixels of the page. */
async function pointOf(desk: Desk, x: number, y: number) {
  const box = (await desk.hands().boundingBox())!;
  return { x: box.x + box.width * x, y: box.y + box.height * y };
}

/** Lets a file go as a browser has it: its name, and no path. */
async function drop(page: Page, name: string, at: { x: number; y: number }) {
  await page.evaluate(
    ([name, { x, y }]) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(["x"], name));
      const target = document.elementFromPoint(x, y)!;
      const fire = (kind: string) =>
        target.dispatchEvent(new DragEvent(kind, { dataTransfer, clientX: x, clientY: y, bubbles: true, cancelable: true }));
      for (const kind of ["dragenter", "dragover", "drop"]) {
        // What nobody prevents, the browser does itself: it opens the file in place of the desk.
        if (fire(kind) && kind === "drop") throw new Error("the browser would open the file");
      }
    },
    [name, at] as const,
  );
}

test("a file that is dropped in a browser is asked for once more, and stands where it fell", async ({ desk, page }) => {
  await drop(page, "clip.mp4", await pointOf(desk, 0.75, 0.7));
  const dialog = desk.dialog();
  await expect(dialog.getByText("A browser does not say where “clip.mp4” lies.")).toBeVisible();
  await expect(dialog.getByLabel("Folder above"), "the folders are open already").toBeVisible();
  await dialog.getByLabel("File").fill(film());
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await expect(dialog).toBeHidden();
  await desk.sourceRow(path.parse(film()).name).getByRole("button").first().click();
  await expect(field(page, "width")).toHaveValue("640");
  expect(await number(page, "x")).toBeCloseTo(1280 * 0.5, -1);
  expect(await number(page, "y")).toBeCloseTo(720 * 0.45, -1);
});

test("a file that the studio cannot play is refused in words, and nothing that falls beside replaces the desk", async ({ desk, page }) => {
  await drop(page, "notes.txt", await pointOf(desk, 0.5, 0.5));
  await expect(page.getByText("“notes.txt” cannot become a source.")).toBeVisible();
  const lamp = (await page.locator(".lamp").boundingBox())!;
  await drop(page, "notes.txt", { x: lamp.x + 5, y: lamp.y + 5 });
  await expect(desk.lamp()).toBeVisible();
});

/** The window's shell as the page sees it: Tauri's own interface to pages, answered here instead of by the shell. */
async function inWindow(page: Page, engine: Engine) {
  await page.addInitScript((at) => {
    const callbacks = new Map<number, (event: unknown) => void>();
    const listeners = new Map<string, number>();
    Object.assign(window, {
      __TAURI_EVENT_PLUGIN_INTERNALS__: { unregisterListener: () => {} },
      __TAURI_INTERNALS__: {
        metadata: { currentWindow: { label: "desk" }, currentWebview: { label: "desk", windowLabel: "desk" } },
        transformCallback: (callback: (event: unknown) => void) => {
          callbacks.set(callbacks.size + 1, callback);
          return callbacks.size;
        },
        invoke: async (command: string, { event, handler }: { event: string; handler: number }) => {
          if (command === "engine") return at;
          if (command === "plugin:event|listen") listeners.set(event, handler);
          return null;
        },
      },
      shell: (event: string, payload: unknown) => callbacks.get(listeners.get(event) ?? 0)?.({ event, id: 1, payload }),
    });
  }, engine.at);
}
const shell = (page: Page, event: string, payload: unknown) =>
  page.evaluate(([event, payload]) => (window as unknown as { shell(event: string, payload: unknown): void }).shell(event, payload), [event, payload] as const);

test("in the window files become sources where they fall, each one step of undo", async ({ page, engine }) => {
  const plate = path.join(engine.folder, "plate.svg");
  await writeFile(plate, '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="36"><rect width="64" height="36" fill="#4560e0"/></svg>');
  await inWindow(page, engine);
  const desk = new Desk(page);
  await desk.open(engine);
  const position = await pointOf(desk, 0.25, 0.3);
  await shell(page, "tauri://drag-enter", { paths: [film(), plate], position });
  await expect(page.getByText("Drop it: it becomes a source of")).toBeVisible();
  await shell(page, "tauri://drag-leave", null);
  await expect(page.getByText("Drop it: it becomes a source of")).toBeHidden();

  await shell(page, "tauri://drag-drop", { paths: [film(), plate], position });
  await expect(desk.sourceRow("plate")).toBeVisible();
  await expect(desk.sourceRow(path.parse(film()).name)).toBeVisible();
  await expect(field(page, "width"), "the last one is in hand").toHaveValue("640");
  expect(await number(page, "x")).toBeCloseTo(64, -1);
  await desk.button("Undo").click();
  await expect(desk.sourceRow("plate"), "one step takes it away whole").toBeHidden();
  await expect(desk.sourceRow(path.parse(film()).name)).toBeVisible();

  const lamp = (await page.locator(".lamp").boundingBox())!;
  await shell(page, "tauri://drag-drop", { paths: [plate], position: { x: lamp.x, y: lamp.y } });
  await expect(field(page, "width"), "beside the picture it fills the canvas").toHaveValue("1280");
});
