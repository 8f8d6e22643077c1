// An engine that cannot start: the window says why, and starts it when the reason is gone.

import fs from "node:fs";
import path from "node:path";
import test from "node:test";
import { Home, Window, button, program, say, until } from "./studio.mjs";

test("the window says what is missing, and tries again when asked", async (t) => {
  const home = new Home();
  t.after(() => home.close());
  const engine = path.join(home.folder, "studio-engine");
  const window = await Window.open(home, { STUDIO_ENGINE: engine });
  const sentence = say("error_file_missing_title", { path: engine });
  await until("the window says it", async () => (await window.text()).includes(sentence));
  window.picture("no-engine");

  fs.symlinkSync(program("studio-engine"), engine);
  await window.click(button(say("retry")));
  await window.find('[data-choice="test-card"]', 30_000);
});
