// The desk's list of messages under load: node list.mjs ENGINE KEPT PER_SECOND SECONDS.
// A real desk on a real engine. The room behind its socket is this script: it has KEPT messages at once and then PER_SECOND
// new ones a second, which no room of ours would say, so that the list alone is measured. The floor is the same
// desk with the same list when nothing comes.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { openBrowser, say } from "./support.mjs";

const [engine, kept, perSecond, seconds] = process.argv.slice(2);
const KEPT = Number(kept);
const PER_SECOND = Number(perSecond);
/** What came within so long goes out as one frame, as a room's turns do. */
const TURN_MS = 20;
const folder = mkdtempSync(join(tmpdir(), "bench-list-"));
const child = spawn(engine, ["serve", "--data-dir", folder, "--announce", "json"], { stdio: ["ignore", "pipe", "inherit"] });
process.on("exit", () => child.kill("SIGTERM"));
const [line] = await once(createInterface({ input: child.stdout }), "line");
const announced = JSON.parse(line);

const WORDS = "the light on the second song was gold and everybody sang along until the very end of it".split(" ");
const message = (seq) => ({
  seq,
  at_ms: 1_790_000_000_000 + seq * 40,
  author: { id: `viewer-${seq % 997}`, name: `Viewer ${seq % 997}`, role: "viewer" },
  text: WORDS.slice(0, 3 + (seq % (WORDS.length - 3))).join(" "),
});

const browser = await openBrowser();
const page = await (await browser.newContext({ locale: "en-GB", viewport: { width: 1440, height: 900 } })).newPage();
page.on("pageerror", (error) => {
  throw error;
});
let room;
await page.routeWebSocket(/\/chat\//, (socket) => {
  room = socket;
  socket.onMessage((text) => {
    const asked = JSON.parse(text);
    if (asked.type === "shows") socket.send(JSON.stringify({ type: "shows", id: asked.id, shows: [] }));
    if (asked.type === "log") socket.send(JSON.stringify({ type: "log", id: asked.id, entries: [] }));
    if (asked.type !== "hello") return;
    const snapshot = {
      messages: Array.from({ length: KEPT }, (_, n) => message(n + 1)),
      rules: { slow_mode_s: 0, hold_links: true, emoji_only: false, locked: false, blocked_words: [], hold_blocked: true, keep_days: 30 },
      held: [],
      restrictions: [],
      moderators: [],
      products: [],
      featured: [],
      money: { test: false, tips: [] },
    };
    const you = { id: "host", name: "Host", role: "host", token: "t" };
    socket.send(JSON.stringify({ type: "welcome", version: 1, you, seq: KEPT, now_ms: Date.now(), snapshot, events: [] }));
  });
});
await page.addInitScript(() => {
  localStorage.setItem("studio.audience.tab", "chat");
  window.benchFrames = [];
  const note = (now) => {
    window.benchFrames.push(now);
    requestAnimationFrame(note);
  };
  requestAnimationFrame(note);
});
await page.goto(announced.desk);
await page.getByRole("button", { name: "Skip, show me the desk" }).click();
await page.locator(".chat-rows .msg").last().waitFor();

/** Frames a second, and the longest time between two, in milliseconds. */
async function frames(during) {
  await page.evaluate(() => (window.benchFrames.length = 0));
  await during();
  return page.evaluate(() => {
    const at = window.benchFrames;
    const steps = at.slice(1).map((time, n) => time - at[n]);
    return { per_second: (steps.length * 1000) / (at[at.length - 1] - at[0]), longest_ms: Math.max(...steps) };
  });
}

const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const idle = await frames(() => wait(Number(seconds) * 1000));
let sent = 0;
const busy = await frames(async () => {
  const began = Date.now();
  await new Promise((done) => {
    const timer = setInterval(() => {
      const elapsed = Date.now() - began;
      const due = Math.floor((elapsed / 1000) * PER_SECOND);
      const events = [];
      for (; sent < due; sent++) {
        const seq = KEPT + sent + 1;
        events.push({ seq, kind: "said", message: message(seq) });
      }
      if (events.length > 0) room.send(JSON.stringify({ type: "events", events }));
      if (elapsed < Number(seconds) * 1000) return;
      clearInterval(timer);
      done();
    }, TURN_MS);
  });
});
// The newest stands at the end of the list, in sight.
await page.locator(`[data-seq="${KEPT + sent}"]`).waitFor();
const rows = await page.locator(".chat-rows .msg").count();
say({ idle, busy, sent, rows });
await browser.close();
child.kill("SIGTERM");
await once(child, "exit");
rmSync(folder, { recursive: true });
