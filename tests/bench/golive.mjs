// From Go Live to the picture of a viewer who was already there: node golive.mjs ADDRESS TOKEN COUNT.
import { firstPicture, joinDesk, openBrowser, openViewer, say } from "./support.mjs";

const [address, token, count] = process.argv.slice(2);
const phases = [];
const waiting = [];
const onMessage = (message) => {
  if (message.type === "failed") throw new Error(JSON.stringify(message.error));
  if (message.type !== "event" || message.event.part !== "show") return;
  phases.push(message.event.value.phase.phase);
  waiting.splice(0).forEach((look) => look());
};
const until = async (phase) => {
  while (phases.at(-1) !== phase) await new Promise((resolve) => waiting.push(resolve));
};
const { socket, state, leave } = await joinDesk(
  address,
  token,
  { program: false, preview: false, thumbnails: false, meters: false },
  onMessage,
);
let id = 0;
const command = (what) => socket.send(JSON.stringify({ type: "command", id: ++id, command: what }));
command({
  do: "add_source",
  draft: { name: "Test card", settings: { kind: "test_card", tone_hz: 1000 } },
  scene: state.scenes[0].id,
});

const browser = await openBrowser();
const waits = [];
for (let show = 0; show < Number(count); show++) {
  const page = await openViewer(browser);
  await page.goto(state.streamcore.watch_urls[0]);
  const asked = Date.now();
  command({ do: "go_live" });
  waits.push((await firstPicture(page)) - asked);
  command({ do: "end_show" });
  await until("off_air");
  await page.context().close();
}
say({ first_picture_ms: waits });
leave();
await browser.close();
