// A room full of viewers: node chat.mjs ADDRESS TOKEN ROOM VIEWERS PER_SECOND SECONDS.
// Hosts speak, everybody hears; every fiftieth viewer notes how old each message is when it comes.
// Says ready (with everybody there) and then the figures.
import { once } from "node:events";
import WebSocket from "ws";
import { say } from "./support.mjs";

const [address, token, room, viewers, perSecond, seconds] = process.argv.slice(2);
const url = `${address.replace(/^http/, "ws")}/chat/${room}`;
/** Requests a second that the server reads of one connection, with some to spare. */
const PER_SPEAKER = 8;
const delays = [];
let heard = 0;
let noting = false;

async function join(hello, onEvents) {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await once(socket, "open");
  socket.send(JSON.stringify({ type: "hello", version: 1, ...hello }));
  const [welcome] = await once(socket, "message");
  if (JSON.parse(welcome).type !== "welcome") throw new Error(welcome.toString());
  socket.on("message", onEvents);
  return socket;
}

/** Messages in a frame, without reading the rest of it: a thousand readers share this process. */
const saidIn = (frame) => frame.toString("latin1").split('"kind":"said"').length - 1;

function note(frame) {
  const message = JSON.parse(frame);
  for (const event of message.events ?? []) {
    if (event.kind === "said" && noting) delays.push(Date.now() - Number(event.message.text));
  }
}

const listeners = [];
for (let n = 0; n < Number(viewers); n++) {
  const notes = n % 50 === 0;
  listeners.push(
    await join({ name: `Viewer ${n}` }, (frame) => {
      if (noting) heard += saidIn(frame);
      if (notes) note(frame);
    }),
  );
}
const speakers = [];
for (let n = 0; n < Math.ceil(Number(perSecond) / PER_SPEAKER); n++) {
  speakers.push(await join({ token }, () => {}));
}
say({ ready: true });
await once(process.stdin, "data");

noting = true;
let said = 0;
const began = Date.now();
await new Promise((done) => {
  const timer = setInterval(() => {
    const due = Math.floor(((Date.now() - began) / 1000) * Number(perSecond));
    for (; said < due; said++) {
      const text = JSON.stringify({ type: "say", id: said, text: String(Date.now()) });
      speakers[said % speakers.length].send(text);
    }
    if (Date.now() - began >= Number(seconds) * 1000) {
      clearInterval(timer);
      done();
    }
  }, 5);
});
// The last ones are still on their way; a second is a thousand times what they take.
const due = said * Number(viewers);
const until = Date.now() + 10_000;
while (heard < due && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
say({ said, heard, delays_ms: delays });
for (const socket of [...listeners, ...speakers]) socket.terminate();
process.stdin.destroy();
