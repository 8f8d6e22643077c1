// An app that says thousands of things at once, in a process of its own, and tells how that ended: `flood.mjs HTTP TRANSPORT`.
import { io } from 'socket.io-client';

const [http, transport] = process.argv.slice(2);
const socket = io(`http://${http}`, { transports: [transport], reconnection: false });
socket.on('disconnect', (reason) => {
  console.log(JSON.stringify({ reason }));
  process.exit(0);
});
socket.on('connect', async () => {
  await socket.emitWithAck('hello', { version: 1, room: 'show', name: 'Flood' });
  console.log(JSON.stringify({ flooding: true }));
  for (let n = 0; n < 5000; n++) socket.emit('say', { text: `flood ${n}` });
});
