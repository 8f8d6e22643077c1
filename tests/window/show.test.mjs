// From the first start to the end of the first show, in the real window.

import assert from "node:assert/strict";
import test from "node:test";
import { Home, Window, button, endShow, goLive, probe, say, until } from "./studio.mjs";

test("first steps, live, and the end", async (t) => {
  const home = new Home();
  t.after(() => home.close());
  const window = await Window.open(home);
  await window.find('[data-choice="test-card"]', 30_000);
  await until("the heading is there", async () => (await window.text()).includes(say("step_see_heading")));
  window.picture("wizard");

  await goLive(window);
  const live = await until("both outputs are live", async () => {
    const { outputs } = await home.state();
    const live = outputs.filter(({ state }) => state.state === "live");
    return live.length === 2 && live;
  });
  const recording = live.map((output) => output.recording).find(Boolean);
  await until("the recording grows", async () => {
    const { outputs } = await home.state();
    return outputs.some((output) => output.recording?.bytes > recording.bytes + 100_000);
  });
  await window.lamp("live");
  window.picture("live");

  await endShow(window);
  await window.find(button(say("go_live")));
  window.picture("ended");
  const { codecs, seconds } = probe(recording.path);
  assert.deepEqual(codecs, { video: "h264", audio: "aac" });
  assert.ok(seconds > 0.5, `${seconds} s were recorded`);

  await window.close();
  await until("the engine goes with the window", () => home.processes("studio-engine").length === 0, 30_000);
  assert.equal(home.engine(), undefined, "nothing says that one runs");
});

test("the window speaks the system's language", async (t) => {
  const home = new Home();
  t.after(() => home.close());
  const window = await Window.open(home, home.locale("fr_FR"));
  const heading = say("step_see_heading", {}, "fr");
  await until("the heading is French", async () => (await window.text()).includes(heading), 30_000);
});
