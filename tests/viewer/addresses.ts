/** Viewers who come from addresses of their own: a proxy in front of the server says of each where it comes from. */
import { connect, createServer, type Server } from 'node:net';

const doors: Server[] = [];

/** What the server is started with, so that it believes the proxy. */
export const TRUSTED = ['--trusted-proxy', '127.0.0.1'];

/** Another way to the same server: its `host:port`, from which every connection seems to come from `address`. */
export function through(http: string, address: string): Promise<string> {
  const [host, port] = http.split(':') as [string, string];
  const door = createServer((near) => {
    const far = connect(Number(port), host);
    // A WebSocket is a connection of its own, so its first line is the first of the connection.
    near.once('data', (first) => {
      const end = first.indexOf('\r\n') + 2;
      far.write(first.subarray(0, end));
      far.write(`X-Forwarded-For: ${address}\r\n`);
      far.write(first.subarray(end));
      near.pipe(far);
    });
    far.pipe(near);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  doors.push(door);
  return new Promise((done) => {
    door.listen(0, '127.0.0.1', () => done(`127.0.0.1:${(door.address() as { port: number }).port}`));
  });
}

export function shut(): void {
  for (const door of doors.splice(0)) door.close();
}
