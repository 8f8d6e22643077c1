/** A real engine with a data folder of its own, and a desk that is open in Chromium. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { test as base, expect, type Locator, type Page } from "../pages";

export { expect };

const TOP = fileURLToPath(new URL("../..", import.meta.url));
export const ARTIFACTS = path.join(TOP, "tests", "artifacts");

function binary(): string {
  const found = [
    process.env.STUDIO_ENGINE,
    process.env.CARGO_TARGET_DIR && path.join(process.env.CARGO_TARGET_DIR, "debug", "studio-engine"),
    path.join(TOP, "target", "debug", "studio-engine"),
  ].find((candidate) => candidate && existsSync(candidate));
  if (!found) throw new Error("no studio-engine: build it (cargo build -p engine) or name it in STUDIO_ENGINE");
  return found;
}

/** The film that tests play: STUDIO_MEDIA, or the shared folder beside the repository. */
export function film(): string {
  const name = "bbb-720p25-51ch.mp4";
  const found = [process.env.STUDIO_MEDIA, path.join(TOP, "../shared/media"), path.join(TOP, "../../shared/media")]
    .flatMap((place) => (place ? [place, path.join(place, name)] : []))
    .find((candidate) => candidate.endsWith(name) && existsSync(candidate));
  if (!found) throw new Error(`no ${name}: name its folder in STUDIO_MEDIA`);
  return found;
}

export interface Announcement {
  address: string;
  token: string;
  desk: string;
}

export class Engine {
  at!: Announcement;
  #child: ChildProcess | undefined;
  #log: string[] = [];
  readonly folder: string;
  /** Arguments behind those that every engine has. */
  readonly more: string[] = [];

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Starts, or starts again at the same address with the same token, as the window's shell does. */
  async start() {
    const listen = this.at ? new URL(this.at.address).host : "127.0.0.1:0";
    const child = spawn(binary(), ["serve", "--data-dir", this.folder, "--listen", listen, "--announce", "json", ...this.more], {
      stdio: ["ignore", "pipe", "pipe"],
      // What a studio starts with has names in the system's language; the tests look for the English ones.
      env: { ...process.env, LC_ALL: "C.UTF-8", ...(this.at ? { STUDIO_TOKEN: this.at.token } : {}) },
    });
    this.#child = child;
    child.stderr?.on("data", (text) => this.#log.push(String(text)));
    const lines = createInterface({ input: child.stdout! });
    const ended = once(child, "exit").then(([code]) => {
      throw new Error(`the engine ended with ${code}:\n${this.#log.join("")}`);
    });
    ended.catch(() => {}); // Later than the announcement it is not this promise that tells.
    const [line] = await Promise.race([once(lines, "line"), ended]);
    this.at = JSON.parse(line);
  }

  async #end(signal: NodeJS.Signals) {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill(signal);
    await gone;
  }

  kill = () => this.#end("SIGKILL");

  async stop() {
    await this.#end("SIGTERM");
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** The desk of one page. */
export class Desk {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** Opens the desk; unless told otherwise the first-run steps are skipped. */
  async open(engine: Engine, { skip = true } = {}) {
    await this.page.goto(engine.at.desk);
    const skipping = this.page.getByRole("button", { name: /^(Skip, show me the desk|Passer, montrer le pupitre)$/ });
    const lamp = this.page.locator(".lamp");
    await expect(skipping.or(lamp)).toBeVisible();
    if (skip && (await skipping.isVisible())) await skipping.click();
    if (skip) await expect(lamp).toBeVisible();
  }

  lamp = () => this.page.getByRole("timer");
  region = (name: string) => this.page.getByRole("region", { name, exact: true });
  dialog = () => this.page.getByRole("dialog");
  button = (name: string | RegExp) => this.page.getByRole("button", { name, exact: typeof name === "string" });
  sourceRow = (name: string) => this.region("Sources").getByRole("listitem").filter({ hasText: name });
  sceneRow = (name: string) => this.region("Scenes").getByRole("listitem").filter({ hasText: name });
  hands = () => this.page.locator("[data-hands]");

  /** Leaves only StreamCore, so that a show of a test writes nothing into the system's folder for videos. */
  async onlyStreamCore() {
    const recording = this.page.getByRole("switch", { name: "Recording goes live with the show" });
    await recording.click();
    await expect(recording).toHaveAttribute("aria-checked", "false");
  }

  /** Begins to add a source and gives the dialog. */
  async adding(kind: string): Promise<Locator> {
    await this.region("Sources").getByRole("button", { name: "Add a source" }).first().click();
    await this.dialog().getByRole("button", { name: kind, exact: true }).click();
    return this.dialog();
  }

  async addSource(kind: string, name: string, fill: (dialog: Locator) => Promise<void> = async () => {}) {
    const dialog = await this.adding(kind);
    await fill(dialog);
    await dialog.getByLabel("Name", { exact: true }).fill(name);
    await dialog.getByRole("button", { name: "Add", exact: true }).click();
    await expect(dialog).toBeHidden();
    await expect(this.sourceRow(name)).toBeVisible();
  }

  addColour = (name: string) => this.addSource("Colour", name);

  /** Opens a row's menu and runs an entry of it. */
  async choose(row: Locator, entry: string) {
    await row.hover();
    await row.getByRole("button", { name: /^More for / }).click();
    await this.page.getByRole("menuitem", { name: entry }).click();
  }
}

export const test = base.extend<{ engine: Engine; desk: Desk }>({
  locale: "en-GB",
  engine: async ({}, use) => {
    const engine = new Engine(await mkdtemp(path.join(tmpdir(), "studio-desk-")));
    await engine.start();
    await use(engine);
    await engine.stop();
  },
  desk: async ({ page, engine }, use) => {
    // What the page itself throws fails the test, whatever the screen shows.
    const thrown: string[] = [];
    page.on("pageerror", (error) => thrown.push(error.stack ?? error.message));
    const desk = new Desk(page);
    await desk.open(engine);
    await use(desk);
    expect(thrown).toEqual([]);
  },
});

/** Whether a canvas shows more than one flat colour. */
export const painted = (canvas: Locator) =>
  canvas.evaluate((element: HTMLCanvasElement) => {
    const data = element.getContext("2d")?.getImageData(0, 0, element.width, element.height).data ?? [];
    const seen = new Set<number>();
    for (let i = 0; i < data.length; i += 4) seen.add((data[i]! << 16) | (data[i + 1]! << 8) | data[i + 2]!);
    return seen.size > 8;
  });
