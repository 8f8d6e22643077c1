/** How a desk reaches a room's chat: through the engine, which makes it the host. */
import type { Door } from '../../chat/client';
import type { Host } from '$lib/host/host';

export async function doorOf(host: Pick<Host, 'engine'>, room: string): Promise<Door> {
  const { address, token } = await host.engine();
  const base = address.replace(/^http/, 'ws').replace(/\/+$/, '');
  return { url: `${base}/chat/${encodeURIComponent(room)}`, token };
}
