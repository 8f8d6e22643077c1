// From the start of the engine's process to a desk that can be used: node start.mjs ENGINE COUNT.
// Usable: the page shows the lamp and the program's picture. As on every day but the first, there is a scene.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { joinDesk, openBrowser, say } from "./support.mjs";

const [engine, count] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "bench-start-"));
const browser = await openBrowser();

async function start() {
  const child = spawn(engine, ["serve", "--data-dir", folder, "--announce", "json"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  return { child, said: JSON.parse(line) };
}

async function stop({ child }) {
  child.kill("SIGTERM");
  await once(child, "exit");
}

const newPage = async () => (await browser.newContext({ locale: "en-GB" })).newPage();

/** The day before: the first-run steps are done, and a scene has a source. */
async function prepare() {
  const running = await start();
  const nothing = { program: false, preview: false, thumbnails: false, meters: false };
  let done;
  const added = new Promise((resolve) => (done = resolve));
  const desk = await joinDesk(running.said.address, running.said.token, nothing, (message) => {
    if (message.type === "failed") throw new Error(JSON.stringify(message.error));
    if (message.type === "done") done();
  });
  const draft = { name: "Test card", settings: { kind: "test_card", tone_hz: 1000 } };
  const command = { do: "add_source", draft, scene: desk.state.scenes[0].id };
  desk.socket.send(JSON.stringify({ type: "command", id: 1, command }));
  await added;
  desk.leave();
  const page = await newPage();
  await page.goto(running.said.desk);
  await page.getByRole("button", { name: "Skip, show me the desk" }).click();
  await page.locator(".lamp").waitFor();
  await page.context().close();
  await stop(running);
}

/** When the socket gave state and picture, and when the page showed them, in ms since the process began. */
async function measure() {
  const page = await newPage();
  const began = Date.now();
  const running = await start();
  const pictured = new Promise((resolve, reject) => {
    const watch = { program: true, preview: false, thumbnails: false, meters: false };
    const desk = joinDesk(running.said.address, running.said.token, watch, (message) => {
      if (message.type === "picture") resolve(Date.now() - began);
    });
    desk.then((joined) => pictured.then(joined.leave), reject);
  });
  await page.goto(running.said.desk, { waitUntil: "commit" });
  await page.waitForFunction(
    () => {
      if (!document.querySelector(".lamp")) return false;
      // The program's picture is the one large canvas; the desk marks it once something is painted.
      const painted = document.querySelectorAll("canvas[data-painted]");
      return [...painted].some((canvas) => canvas.width >= 320);
    },
    null,
    { timeout: 20_000, polling: 10 },
  );
  const shown = Date.now() - began;
  const welcomed = await pictured;
  await page.context().close();
  await stop(running);
  return { welcomed, shown };
}

await prepare();
const measured = [];
for (let round = 0; round < Number(count); round++) measured.push(await measure());
say({ welcome_and_picture_ms: measured.map((m) => m.welcomed), page_ms: measured.map((m) => m.shown) });
await browser.close();
rmSync(folder, { recursive: true });
