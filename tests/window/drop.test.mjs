// Files that are dragged into the real window from another program become sources where they fall.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import test from "node:test";
import { Home, Window, button, hand, say, until } from "./studio.mjs";

test("a picture that is dropped stands where it fell", async (t) => {
  const home = new Home();
  t.after(() => home.close());
  const plate = path.join(home.folder, "A plate é.svg");
  fs.writeFileSync(plate, '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="36"><rect width="64" height="36" fill="#4560e0"/></svg>');
  const window = await Window.open(home);
  await window.click(button(say("skip")), 30_000);
  await window.lamp("off_air");

  // The middle of the right lower quarter of the picture, as a fraction of the window.
  const [x, y] = await window.run(`
    const area = document.querySelector("[data-hands]").getBoundingClientRect();
    return [(area.left + area.width * 0.75) / innerWidth, (area.top + area.height * 0.75) / innerHeight];
  `);
  hand("drop", "StreamCore Studio", String(x), String(y), plate);
  const { sources, scenes } = await until("the engine has the source", async () => {
    const state = await home.state();
    return state.sources.length > 0 && state;
  });
  window.picture("dropped");
  assert.equal(sources[0].name, "A plate é");
  assert.deepEqual(sources[0].settings, { kind: "image", path: plate });
  const { placement } = scenes[0].items[0];
  for (const side of ["x", "y", "width", "height"]) {
    assert.ok(Math.abs(placement[side] - 0.5) < 0.01, `${side} is ${placement[side]}`);
  }
});
