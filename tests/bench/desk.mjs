// A desk with its picture and meters, for as long as standard input is open: node desk.mjs ADDRESS TOKEN.
import { joinDesk, say, untilAsked } from "./support.mjs";

const [address, token] = process.argv.slice(2);
let pictures = 0;
let meters = 0;
const watch = { program: true, preview: false, thumbnails: true, meters: true };
const { leave } = await joinDesk(address, token, watch, (message) => {
  if (message.type === "picture") {
    if (pictures === 0) say({ ready: true });
    pictures++;
  }
  if (message.type === "meters") meters++;
});
await untilAsked();
say({ pictures, meters });
leave();
