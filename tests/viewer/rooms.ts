/** What the tests of rooms share: the host, who speaks to the room without a page, and pages of viewers and moderators. */
import { expect, type Browser, type Page } from '@playwright/test';
import WebSocket from 'ws';

export const DESK = { width: 1280, height: 720 };
export const PHONE = { width: 390, height: 844 };
export const LYING = { width: 844, height: 390 };

type Answer = Record<string, unknown> & { type: string; id?: number };

/** The token of a room's host. */
export async function hostToken(http: string, room: string, key: string): Promise<string> {
  const answer = await fetch(`http://${http}/api/rooms/${room}/host`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Maya' }),
  });
  expect(answer.ok, await answer.clone().text()).toBe(true);
  return ((await answer.json()) as { token: string }).token;
}

/** The host of a room, as the studio is: no page, a WebSocket. */
export class Host {
  #next = 1;
  #asked = new Map<number, (answer: Answer) => void>();

  private constructor(
    private readonly socket: WebSocket,
    private readonly http: string,
    private readonly room: string,
    readonly token: string,
  ) {}

  static async enter(http: string, room: string, key: string): Promise<Host> {
    const token = await hostToken(http, room, key);
    const socket = new WebSocket(`ws://${http}/chat/${room}`, { headers: { authorization: `Bearer ${token}` } });
    const host = new Host(socket, http, room, token);
    await new Promise<void>((done, failed) => {
      socket.on('error', failed);
      socket.on('open', () => socket.send(JSON.stringify({ type: 'hello', version: 1, token })));
      socket.on('message', (data) => {
        const said = JSON.parse(String(data)) as Answer;
        if (said.type === 'welcome') done();
        if (said.id !== undefined) host.#asked.get(said.id)?.(said);
      });
    });
    return host;
  }

  async act(act: Record<string, unknown>): Promise<void> {
    const id = this.#next++;
    const answer = await new Promise<Answer>((done) => {
      this.#asked.set(id, done);
      this.socket.send(JSON.stringify({ type: 'moderate', id, act }));
    });
    expect(answer.type, JSON.stringify(answer)).toBe('done');
  }

  /** The link that makes whoever opens it a moderator. */
  async invite(name: string): Promise<string> {
    const id = this.#next++;
    const answer = await new Promise<Answer>((done) => {
      this.#asked.set(id, done);
      this.socket.send(JSON.stringify({ type: 'moderate', id, act: { do: 'invite', name } }));
    });
    return `http://${this.http}/moderate/${this.room}#token=${String(answer.token)}`;
  }

  /** Puts a picture into the room, and gives back its name. */
  async image(body: Buffer): Promise<string> {
    const answer = await fetch(`http://${this.http}/api/rooms/${this.room}/images`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${this.token}` },
      body: new Uint8Array(body),
    });
    expect(answer.ok, await answer.clone().text()).toBe(true);
    return ((await answer.json()) as { image: string }).image;
  }

  leave(): void {
    this.socket.close();
  }
}

/** A page of its own, with its own storage, in which no dialog may open. */
export async function visitor(browser: Browser, viewport = DESK, locale = 'en-GB', hasTouch = false): Promise<Page> {
  const context = await browser.newContext({ viewport, locale, hasTouch });
  const page = await context.newPage();
  page.on('dialog', () => expect(true, 'a dialog opened').toBe(false));
  return page;
}
