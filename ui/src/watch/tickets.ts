/** The ticket office of the viewer page: what a ticket costs, the way to pay it, and the way in with one. */
import { sayRefused } from '../chat/says';
import { sayMoney, saySum, type MoneyKey } from '../money/says';
import type { Refused, Sum } from '../lib/protocol/chat';
import { rememberPass, rememberTicket, rememberedPass, rememberedTicket } from './chat-memory';
import type { Scene } from './viewer';
import type { Locale } from './words';

/** How often an unpaid ticket is asked for, at first and at last. */
const FIRST_LOOK_MS = 700;
const LAST_LOOK_MS = 5000;

/** What the server says of a ticket. */
type Worth = 'open' | 'waiting' | 'processing' | 'unpaid' | 'refunded' | 'over' | 'unknown';
const worths: readonly string[] = ['open', 'waiting', 'processing', 'unpaid', 'refunded', 'over', 'unknown'];

interface Terms {
  test: boolean;
  open: boolean;
  ticket?: Sum;
}

function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as T;
}

export class Tickets {
  #office = byId('office');
  #buy = byId<HTMLButtonElement>('office-buy');
  #link = byId<HTMLButtonElement>('ticket-link');
  #locale: Locale = 'en';
  #terms: Terms | undefined;
  #asking = false;
  #scene: Scene = 'connecting';
  #devices: number | undefined;
  #code: string | undefined;
  #worth: Worth | undefined;
  /** Whether the person has just come back from paying. */
  #back = false;
  #why: Refused | 'lost' | undefined;
  #wait = FIRST_LOOK_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether the ticket is being asked about: two answers at once would make this browser two devices. */
  #looking = false;

  constructor(
    private readonly room: string,
    private readonly onPass: (pass: string | undefined) => void,
  ) {
    this.#code = rememberedTicket(room);
    this.#buy.addEventListener('click', () => void this.#pay());
    this.#link.addEventListener('click', () => void this.#copy());
    addEventListener('hashchange', () => this.#arrive() && this.#look());
  }

  /** Reads the address, and asks what a known ticket is worth. */
  start(): void {
    this.#arrive();
    if (this.#code !== undefined) this.#look();
  }

  speak(locale: Locale): void {
    this.#locale = locale;
    this.#write();
  }

  /** Follows what the picture's place shows; true if the office stands there. */
  show(scene: Scene, devices: number | undefined): boolean {
    const came = scene === 'ticket' && this.#scene !== 'ticket';
    this.#scene = scene;
    this.#devices = devices;
    if (came) {
      void this.#askTerms();
      // It may have been refunded meanwhile, or be worth something now.
      if (this.#code !== undefined) this.#look();
    }
    this.#write();
    return this.#stands();
  }

  #stands(): boolean {
    return this.#scene === 'devices' || this.#scene === 'ticket';
  }

  /** A link with a ticket: its code goes into this browser, and out of the address. */
  #arrive(): boolean {
    const code = /^#ticket=([0-9a-f]{64})$/.exec(location.hash)?.[1];
    if (location.hash.startsWith('#ticket')) history.replaceState(null, '', location.pathname + location.search);
    if (code === undefined) return false;
    if (code !== this.#code) rememberPass(this.room, undefined);
    this.#code = code;
    this.#worth = undefined;
    this.#back = true;
    this.#wait = FIRST_LOOK_MS;
    rememberTicket(this.room, code);
    return true;
  }

  async #askTerms(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    try {
      const answer = await fetch(`/api/rooms/${encodeURIComponent(this.room)}/money`);
      if (answer.ok) this.#terms = (await answer.json()) as Terms;
      this.#why = answer.ok ? undefined : 'lost';
    } catch {
      this.#why = 'lost';
    } finally {
      this.#asking = false;
    }
    // Free in the meantime.
    if (this.#terms && !this.#terms.ticket && this.#scene === 'ticket') this.onPass(rememberedPass(this.room));
    this.#write();
  }

  #look(): void {
    clearTimeout(this.#timer);
    if (this.#looking) return;
    this.#looking = true;
    void this.#ask().finally(() => (this.#looking = false));
  }

  async #ask(): Promise<void> {
    const code = this.#code;
    if (code === undefined) return;
    const pass = rememberedPass(this.room);
    let said: { state?: unknown; pass?: unknown } | undefined;
    try {
      const answer = await fetch(`/api/rooms/${encodeURIComponent(this.room)}/tickets/open`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(pass === undefined ? { ticket: code } : { ticket: code, pass }),
      });
      if (answer.ok) said = (await answer.json()) as { state?: unknown; pass?: unknown };
    } catch {
      // The server is away; it is asked again.
    }
    // Another link was opened meanwhile: that one counts.
    if (this.#code !== code) return this.#ask();
    if (typeof said?.state === 'string' && worths.includes(said.state)) this.#worth = said.state as Worth;
    if (this.#worth === 'open' && typeof said?.pass === 'string') {
      this.#back = false;
      rememberPass(this.room, said.pass);
      this.onPass(said.pass);
    } else if (said === undefined || this.#worth === 'waiting' || this.#worth === 'processing') {
      this.#timer = setTimeout(() => this.#look(), this.#wait);
      this.#wait = Math.min(LAST_LOOK_MS, this.#wait * 1.3);
    } else {
      this.#code = undefined;
      rememberTicket(this.room, undefined);
      rememberPass(this.room, undefined);
    }
    this.#write();
  }

  async #pay(): Promise<void> {
    this.#buy.disabled = true;
    this.#why = undefined;
    this.#write();
    try {
      const answer = await fetch(`/api/rooms/${encodeURIComponent(this.room)}/tickets`, { method: 'POST' });
      const said = (await answer.json()) as { url?: unknown; ticket?: unknown } & Refused;
      if (answer.status === 201 && typeof said.url === 'string' && typeof said.ticket === 'string') {
        rememberTicket(this.room, said.ticket);
        location.assign(said.url);
        return;
      }
      this.#why = said;
    } catch {
      this.#why = 'lost';
    }
    this.#buy.disabled = false;
    this.#write();
  }

  async #copy(): Promise<void> {
    if (this.#code === undefined) return;
    const link = `${location.origin}${location.pathname}#ticket=${this.#code}`;
    const said = byId('money-said');
    try {
      await navigator.clipboard.writeText(link);
      said.textContent = sayMoney(this.#locale, 'money_ticket_copied');
    } catch {
      // No clipboard on plain http: then it is there to be copied by hand.
      said.textContent = link;
    }
  }

  /** What stands at the picture's place: headline and what comes under it. */
  #words(): [string, string, boolean] {
    const t = (key: MoneyKey, blanks: Record<string, string> = {}) => sayMoney(this.#locale, key, blanks);
    if (this.#scene === 'devices') {
      return [t('money_ticket_devices', { most: String(this.#devices ?? 1) }), t('money_ticket_devices_hint'), false];
    }
    if (this.#worth === 'processing') return [t('money_ticket_processing'), t('money_ticket_processing_hint'), false];
    const waits = this.#back && (this.#worth === undefined || this.#worth === 'waiting');
    if (waits) return [t('money_ticket_waiting'), t('money_ticket_waiting_hint'), false];
    const price = this.#terms?.ticket;
    const text = price ? t('money_ticket_price', { sum: saySum(this.#locale, price) }) : '';
    if (this.#terms && !this.#terms.open) return [t('money_ticket_title'), t('money_ticket_closed'), false];
    return [t('money_ticket_title'), text, price !== undefined];
  }

  #write(): void {
    const t = (key: MoneyKey, blanks: Record<string, string> = {}) => sayMoney(this.#locale, key, blanks);
    this.#link.hidden = this.#worth !== 'open' || this.#scene === 'ticket';
    byId('ticket-link-text').textContent = t('money_ticket_link');
    this.#office.hidden = !this.#stands();
    if (this.#office.hidden) return;
    const [title, text, sells] = this.#words();
    put('office-title', title);
    put('office-text', text);
    const test = byId('office-test');
    test.hidden = !(this.#terms?.test && sells);
    test.children[0]!.textContent = t('money_test');
    test.children[1]!.textContent = t('money_test_hint');
    this.#buy.hidden = !sells;
    byId('office-have').hidden = !sells;
    put('office-have', t('money_ticket_have'));
    const price = this.#terms?.ticket;
    if (price) this.#buy.textContent = t('money_ticket_buy', { sum: saySum(this.#locale, price) });
    put('office-why', this.#trouble());
  }

  #trouble(): string {
    if (this.#why === 'lost') return sayMoney(this.#locale, 'money_lost');
    if (this.#why) return sayRefused(this.#locale, this.#why);
    const worth = this.#worth;
    const closed = worth === 'unpaid' || worth === 'refunded' || worth === 'over' || worth === 'unknown';
    return closed ? sayMoney(this.#locale, `money_ticket_${worth}`) : '';
  }
}

/** Writes only what changed: an alert speaks at every write. */
function put(id: string, text: string): void {
  const target = byId(id);
  if (target.textContent !== text) target.textContent = text;
}
