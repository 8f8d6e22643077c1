// What is killed while the show is on air, and what the host sees of it.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import test from "node:test";
import { Home, Window, endShow, goLive, probe, until } from "./studio.mjs";

/** What must be the same before and after. */
async function setUp(home) {
  const { show, scenes, program, destinations, outputs } = await home.state();
  const live = outputs.filter(({ state }) => state.state === "live").map(({ id }) => id);
  return { phase: show.phase.phase, scenes, scene: program.program, destinations, live };
}

test("a killed window takes nothing off air, and a new one shows the show", async (t) => {
  const home = new Home();
  t.after(() => home.close());
  const first = await Window.open(home);
  await goLive(first);
  const before = await until("both outputs are live", async () => {
    const now = await setUp(home);
    return now.live.length === 2 && now;
  });
  const { pid } = home.engine();

  await first.kill();
  assert.deepEqual(home.processes("studio-engine"), [pid], "the engine lives");
  assert.deepEqual(await setUp(home), before, "and is on air as before");

  const second = await Window.open(home);
  await second.lamp("live", 20_000);
  second.picture("second-window");
  assert.deepEqual(home.processes("studio-engine"), [pid], "the new window took the engine that it found");
  assert.deepEqual(await setUp(home), before);

  await endShow(second);
  // Its old window is gone and the show is over: that engine ends, and the window has one of its own.
  await until("the window starts its own engine", () => home.engine() && home.engine().pid !== pid, 20_000);
  await second.lamp("off_air", 20_000);
  await second.close();
  await until("no engine is left", () => home.processes("studio-engine").length === 0);
});

test("a killed engine is on air again within three seconds, with the same show", async (t) => {
  const home = new Home();
  t.after(() => home.close());
  const window = await Window.open(home);
  await goLive(window);
  const before = await until("both outputs are live", async () => {
    const now = await setUp(home);
    return now.live.length === 2 && now;
  });
  const engine = home.engine();
  const file = (await home.state()).outputs.map((output) => output.recording?.path).find(Boolean);
  await until("something is recorded", () => fs.statSync(file).size > 200_000);

  const killed = Date.now();
  process.kill(engine.pid, "SIGKILL");
  const after = await until("the same outputs are live again", async () => {
    if (home.engine()?.pid === engine.pid) return false;
    const now = await setUp(home);
    return now.phase === "live" && now.live.length === 2 && now;
  });
  const seconds = (Date.now() - killed) / 1000;
  await window.lamp("live");
  const seen = (Date.now() - killed) / 1000;
  t.diagnostic(`on air again after ${seconds} s, seen in the window after ${seen} s`);
  assert.deepEqual(after, before);
  assert.ok(seconds < 3, `on air again after ${seconds} s`);
  assert.equal(home.engine().address, engine.address, "where other desks look for it");
  assert.equal(home.engine().token, engine.token, "with what they know");
  window.picture("recovered");

  assert.equal(probe(file).codecs.video, "h264", "the recording so far opens");
  const next = (await home.state()).outputs.map((output) => output.recording?.path).find(Boolean);
  assert.notEqual(next, file);
  assert.equal(path.dirname(next), path.dirname(file), "the next part is beside it");
  await until("the next part grows", () => fs.statSync(next).size > 200_000);
  await endShow(window);
  assert.equal(probe(next).codecs.video, "h264");
});

test("a page that dies is loaded again", async (t) => {
  const home = new Home();
  t.after(() => home.close());
  const window = await Window.open(home);
  await goLive(window);
  const [page] = home.processes("WebKitWebProcess");
  assert.ok(page, "the page has a process of its own");
  const { pid } = home.engine();

  process.kill(page, "SIGKILL");
  await until("another process draws the page", () => {
    const [now] = home.processes("WebKitWebProcess");
    return now && now !== page;
  });
  assert.equal(home.engine().pid, pid);
  assert.equal((await setUp(home)).phase, "live", "the show does not notice");
});
