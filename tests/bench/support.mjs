// What the benchmarks' pages and desks share. Each script prints JSON, one object a line.
import { readFileSync } from "node:fs";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { chromium } from "@playwright/test";
import WebSocket from "ws";

const stampReader = readFileSync(
  fileURLToPath(new URL("../../crates/testkit/src/stamp.js", import.meta.url)),
  "utf8",
);

/** Debian's own browser, headless, speaking to nobody but this machine. */
export function openBrowser() {
  return chromium.launch({
    executablePath: process.env.STUDIO_CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--autoplay-policy=no-user-gesture-required",
    ],
  });
}

/** A page that notes, from its first moment on, when pictures are shown and how old they are. */
export async function openViewer(browser) {
  const context = await browser.newContext();
  const page = await context.newPage();
  // An error in what we put into the page would look like a viewer who sees nothing.
  page.on("pageerror", (error) => {
    throw error;
  });
  // Scripts that are put into a page run in a function of their own.
  await page.addInitScript(`${stampReader}\nwindow.readStamp = readStamp;`);
  await page.addInitScript(() => {
    const seen = { firstAt: null, lastAt: null, frames: 0, longestGapMs: 0, agesMs: [] };
    window.benchSeen = seen;
    const followed = new WeakSet();
    const follow = (video) => {
      if (followed.has(video)) return;
      followed.add(video);
      const onFrame = (now) => {
        // Both clocks are the page's; the second is what the stamp in the picture counts in.
        const wall = performance.timeOrigin + now;
        if (seen.firstAt === null) seen.firstAt = wall;
        else seen.longestGapMs = Math.max(seen.longestGapMs, wall - seen.lastAt);
        seen.lastAt = wall;
        seen.frames++;
        const stamp = window.readStamp(video);
        if (stamp !== null) seen.agesMs.push(((Math.floor(wall) % 2 ** 32) - stamp) | 0);
        video.requestVideoFrameCallback(onFrame);
      };
      video.requestVideoFrameCallback(onFrame);
    };
    const look = () => document.querySelectorAll("video").forEach(follow);
    new MutationObserver(look).observe(document, { childList: true, subtree: true });
    look();
  });
  return page;
}

/** Waits for the first picture and returns its wall-clock time in milliseconds. */
export async function firstPicture(page) {
  await page.waitForFunction(() => window.benchSeen.firstAt !== null, null, { timeout: 20_000, polling: 10 });
  return page.evaluate(() => window.benchSeen.firstAt);
}

/** A desk without a page: says hello, wants `watch`, and hands every message to `onMessage`. */
export async function joinDesk(address, token, watch, onMessage) {
  const socket = new WebSocket(`${address.replace(/^http/, "ws")}/control`);
  await once(socket, "open");
  let welcomed;
  const welcome = new Promise((resolve, reject) => {
    welcomed = resolve;
    socket.on("close", () => reject(new Error("the engine closed the connection")));
  });
  socket.on("message", (data, binary) => {
    if (binary) {
      onMessage({ type: "picture", bytes: data });
      return;
    }
    const message = JSON.parse(data.toString());
    if (message.type === "welcome") welcomed(message.state);
    if (message.type === "refused") throw new Error(JSON.stringify(message.error));
    onMessage(message);
  });
  socket.send(JSON.stringify({ type: "hello", version: 1, token }));
  const state = await welcome;
  socket.send(JSON.stringify({ type: "watch", ...watch }));
  const leave = () => {
    socket.removeAllListeners("close");
    socket.close();
  };
  return { socket, state, leave };
}

/** Says one thing to whoever started this script. */
export function say(object) {
  process.stdout.write(`${JSON.stringify(object)}\n`);
}

/** Ends when standard input ends: whoever started this script wants its result. */
export async function untilAsked() {
  process.stdin.resume();
  await once(process.stdin, "end");
}
