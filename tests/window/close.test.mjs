// The window's cross: the end of everything off air, a question on air. A second start brings the window back.

import assert from "node:assert/strict";
import test from "node:test";
import { Home, Window, goLive, hand, probe, shellSays, titles, until } from "./studio.mjs";

const CROSS = ["close", "StreamCore Studio"];

test("off air the cross ends window and engine", async (t) => {
  const home = new Home();
  t.after(() => home.close());
  const window = await Window.open(home);
  await window.find('[data-choice="test-card"]', 30_000);
  hand(...CROSS);
  await until("the window is gone", () => home.processes("studio").length === 0);
  assert.deepEqual(home.processes("studio-engine"), [], "and the engine before it");
});

test("a second start shows the first window", async (t) => {
  const home = new Home();
  t.after(() => home.close());
  const window = await Window.open(home);
  await window.find('[data-choice="test-card"]', 30_000);
  const [first] = home.processes("studio");
  assert.equal(await home.start().ended, 0);
  assert.deepEqual(home.processes("studio"), [first]);
  assert.equal(home.processes("studio-engine").length, 1);
});

test("on air the cross asks, and the show goes on until the host says end", async (t) => {
  const home = new Home();
  t.after(() => home.close());
  const window = await Window.open(home);
  await goLive(window);
  const live = async () => (await home.state()).show.phase.phase === "live";
  const recording = await until("a file is recorded", async () =>
    (await home.state()).outputs.map((output) => output.recording?.path).find(Boolean),
  );
  const ask = () =>
    until("the studio asks", async () => {
      if (titles().includes(shellSays("quit_title"))) return true;
      hand(...CROSS);
      return false;
    });

  await ask();
  window.picture("quit-question");
  // A key goes to whatever has the focus, and the question may not have it yet.
  await until("the question is gone", () => {
    if (!titles().includes(shellSays("quit_title"))) return true;
    hand("key", "Escape");
    return false;
  });
  assert.ok(await live(), "cancelled: nothing changes");
  assert.ok(titles().includes("StreamCore Studio"));

  await ask();
  hand("click", shellSays("quit_title"), "0.17", "0.9"); // The first of three buttons: keep the show running.
  await until("the window hides", () => !titles().includes("StreamCore Studio"));
  assert.ok(await live(), "the show goes on behind");
  assert.equal(await home.start().ended, 0, "starting the studio again …");
  await until("… brings the window back", () => titles().includes("StreamCore Studio"));

  await ask();
  hand("click", shellSays("quit_title"), "0.5", "0.9"); // The second: end the show and quit.
  await until("everything ends", () => home.processes("studio").length + home.processes("studio-engine").length === 0, 30_000);
  assert.equal(probe(recording).codecs.video, "h264", "the recording was closed in order");
});
