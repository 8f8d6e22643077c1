import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { State, UserError } from '$lib/protocol';
import { CommandError, Connection, controlUrl, waitBefore, type LinkPhase, type Socket } from './connection';

class Wire implements Socket {
  binaryType = '';
  onopen: Socket['onopen'] = null;
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;
  sent: Record<string, unknown>[] = [];
  closed = false;
  send(text: string) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.closed = true;
  }
  says(message: unknown) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

const state = { show: { title: 'A', phase: { phase: 'off_air' } } } as State;
const show = (title: string) => ({ part: 'show', value: { title, phase: { phase: 'off_air' } } });
const failure: UserError = { code: 'not_found', params: {}, severity: 'error', retry_after_ms: null };

describe('connection', () => {
  let wires: Wire[];
  let links: LinkPhase[];
  let states: State[];
  let connection: Connection;
  let missing: UserError | undefined;
  const last = () => wires.at(-1)!;

  beforeEach(async () => {
    vi.useFakeTimers();
    wires = [];
    missing = undefined;
    links = [];
    states = [];
    connection = new Connection({
      engine: async () => {
        if (missing) throw missing;
        return { address: 'http://127.0.0.1:9', token: 't' };
      },
      open: () => {
        const wire = new Wire();
        wires.push(wire);
        return wire;
      },
      onState: (next) => states.push(next),
      onLink: (link) => links.push(link),
      onEngine: () => {},
      onMeters: () => {},
      onPicture: () => {},
    });
    connection.start();
    await vi.advanceTimersByTimeAsync(0);
    last().onopen?.(undefined as never);
  });
  afterEach(() => {
    connection.stop();
    vi.useRealTimers();
  });
  const welcome = (revision = 7) => last().says({ type: 'welcome', revision, engine: '0.1.0', state });

  it('says hello first, then its streams once it is welcome', () => {
    connection.watch({ program: true, preview: false, thumbnails: true, meters: true });
    expect(last().sent).toEqual([{ type: 'hello', version: 1, token: 't' }]);
    welcome();
    expect(last().sent[1]).toEqual({ type: 'watch', program: true, preview: false, thumbnails: true, meters: true });
    expect(links.at(-1)).toEqual({ phase: 'open' });
  });

  it('follows events and replaces one part each', () => {
    welcome();
    last().says({ type: 'event', revision: 8, event: show('B') });
    expect(states.at(-1)?.show.title).toBe('B');
  });

  it('fetches everything again after a gap, and never shows what came after it', async () => {
    welcome();
    const first = last();
    first.says({ type: 'event', revision: 9, event: show('C') });
    expect(first.closed).toBe(true);
    expect(states.at(-1)?.show.title).toBe('A');
    expect(links.at(-1)).toEqual({ phase: 'lost', attempt: 1 });
    await vi.advanceTimersByTimeAsync(waitBefore(1));
    expect(wires).toHaveLength(2);
    last().onopen?.(undefined as never);
    welcome(20);
    last().says({ type: 'event', revision: 21, event: show('D') });
    expect(states.at(-1)?.show.title).toBe('D');
  });

  it('waits longer each time, up to a cap', async () => {
    last().onclose?.(undefined as never);
    for (const attempt of [1, 2, 3]) {
      expect(links.at(-1)).toEqual({ phase: 'lost', attempt });
      await vi.advanceTimersByTimeAsync(waitBefore(attempt));
      last().onclose?.(undefined as never);
    }
    expect(waitBefore(2)).toBe(2 * waitBefore(1));
    expect(waitBefore(50)).toBe(4000);
  });

  it('answers commands by number, whatever the order', async () => {
    welcome();
    const one = connection.do({ do: 'undo' });
    const two = connection.do({ do: 'redo' });
    const [a, b] = last().sent.slice(2) as { id: number }[];
    last().says({ type: 'failed', id: b!.id, error: failure });
    last().says({ type: 'done', id: a!.id, reply: { reply: 'done' } });
    await expect(one).resolves.toEqual({ reply: 'done' });
    await expect(two).rejects.toMatchObject({ user: failure });
  });

  it('fails what is under way when the connection goes', async () => {
    welcome();
    const command = connection.do({ do: 'go_live' });
    last().onclose?.(undefined as never);
    await expect(command).rejects.toBeInstanceOf(CommandError);
    await expect(connection.do({ do: 'undo' })).rejects.toBeInstanceOf(CommandError);
  });

  it('says why there is no engine, and asks again only while the host tries', async () => {
    missing = { ...failure, code: 'internal', retry_after_ms: 500 };
    last().onclose?.(undefined as never);
    await vi.advanceTimersByTimeAsync(waitBefore(1));
    expect(links.at(-1)).toEqual({ phase: 'lost', attempt: 2, error: missing });
    missing = { ...failure, code: 'no_encoder' };
    await vi.advanceTimersByTimeAsync(waitBefore(2));
    expect(links.at(-1)).toEqual({ phase: 'refused', error: missing });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(wires).toHaveLength(1);
    missing = undefined;
    connection.start();
    await vi.advanceTimersByTimeAsync(0);
    expect(wires).toHaveLength(2);
  });

  it('does not knock again after a refusal', async () => {
    last().says({ type: 'refused', error: { ...failure, code: 'bad_token' } });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(wires).toHaveLength(1);
    expect(links.at(-1)).toMatchObject({ phase: 'refused' });
  });
});

it('makes the control address from the engine’s', () => {
  expect(controlUrl('http://127.0.0.1:81/')).toBe('ws://127.0.0.1:81/control');
  expect(controlUrl('https://studio.example')).toBe('wss://studio.example/control');
});
