/** What the server says of the room, followed as server-sent events. */

export type State = 'starting_soon' | 'live' | 'ended';

export interface Room {
  state: State;
  title: string;
  viewers: number;
  /** When it went live, in milliseconds since 1970. */
  since_ms?: number;
}

const states: readonly string[] = ['starting_soon', 'live', 'ended'];

/** Reads what came over the wire; nothing else than a room gets in. */
export function read(text: string): Room | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { state, title, viewers, since_ms } = value as Record<string, unknown>;
  if (typeof state !== 'string' || !states.includes(state)) return undefined;
  if (typeof title !== 'string' || typeof viewers !== 'number') return undefined;
  const room: Room = { state: state as State, title, viewers };
  if (typeof since_ms === 'number') room.since_ms = since_ms;
  return room;
}

/** Follows a room for the life of the page. EventSource comes back by itself, except after an HTTP error. */
export function follow(name: string, onRoom: (room: Room) => void, onReached: () => void): void {
  const source = new EventSource(`/api/rooms/${encodeURIComponent(name)}/events`);
  source.addEventListener('room', (event: MessageEvent<string>) => {
    const room = read(event.data);
    if (room) onRoom(room);
  });
  source.addEventListener('open', onReached);
  source.addEventListener('error', () => {
    if (source.readyState === EventSource.CLOSED) {
      setTimeout(() => follow(name, onRoom, onReached), 2000 + 3000 * Math.random());
    }
  });
}
