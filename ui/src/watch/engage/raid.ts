/** A raid on the viewer page: ten seconds in which one may stay, then the page goes where the host leads. */
import { placeOf, sayEngage, sayMany } from '../../chat/engage-words';
import type { ChatLocale } from '../../chat/says';
import type { Raid } from '../../lib/protocol/chat';
import { byId, make, write } from './elements';

const TICK_MS = 250;
/** What it counts down from: the server's clock is known to some milliseconds. */
const FROM_S = 10;

/** Where a raid may lead: a viewer page of this server, or one by https (by http only where this page is, too). */
export function destination(to: string, here: string): string | undefined {
  try {
    if (to === '') return undefined;
    const from = new URL(here);
    const url = new URL(to, from);
    const safe = url.origin === from.origin || url.protocol === 'https:' || (url.protocol === 'http:' && from.protocol === 'http:');
    const plain = url.username === '' && url.password === '' && url.search === '' && url.hash === '';
    return safe && plain && /^\/watch\/[\w-]+$/.test(url.pathname) ? url.href : undefined;
  } catch {
    return undefined;
  }
}

export class RaidBox {
  #box = byId('raid');
  #title = make('p', 'raid-title');
  #left = make('p', 'raid-left');
  #stay = make('button', 'raid-stay');
  #go = make('button', 'raid-go');
  #timer: ReturnType<typeof setInterval> | undefined;
  #raid: Raid | undefined;
  /** The raid, by its moment, that this person does not take part in. */
  #declined: number | undefined;
  #locale: ChatLocale = 'en';

  constructor(
    private readonly now: () => number,
    private readonly onSaid: (text: string) => void,
    private readonly leave: (url: string) => void = (url) => location.assign(url),
  ) {
    this.#title.id = 'raid-title';
    this.#box.setAttribute('aria-labelledby', this.#title.id);
    for (const key of [this.#stay, this.#go]) key.type = 'button';
    this.#stay.addEventListener('click', () => {
      this.#declined = this.#raid?.goes_at_ms;
      this.onSaid(sayEngage(this.#locale, 'engage_raid_stayed'));
      this.#end();
    });
    this.#go.addEventListener('click', () => this.#follow());
    this.#box.append(make('div', 'raid-words', this.#title, this.#left), make('div', 'raid-keys', this.#stay, this.#go));
  }

  show(raid: Raid | undefined, locale: ChatLocale, aloud: boolean): void {
    this.#locale = locale;
    if (!raid || raid.goes_at_ms <= this.now() || raid.goes_at_ms === this.#declined || !destination(raid.to, location.href)) {
      if (this.#raid && !raid && aloud) this.onSaid(sayEngage(locale, 'engage_raid_off'));
      this.#end();
      return;
    }
    const place = placeOf(raid.to);
    if (this.#raid?.goes_at_ms !== raid.goes_at_ms) this.onSaid(sayEngage(locale, 'engage_raid_said', { place }));
    this.#raid = raid;
    write(this.#title, sayEngage(locale, 'engage_raid', { place }));
    write(this.#stay, sayEngage(locale, 'engage_raid_stay'));
    write(this.#go, sayEngage(locale, 'engage_raid_go'));
    this.#box.hidden = false;
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
    this.#tick();
  }

  #tick(): void {
    if (!this.#raid) return;
    const left = this.#raid.goes_at_ms - this.now();
    if (left <= 0) return this.#follow();
    write(this.#left, sayMany(this.#locale, 'seconds', Math.min(FROM_S, Math.ceil(left / 1000))));
  }

  #follow(): void {
    const url = this.#raid && destination(this.#raid.to, location.href);
    this.#declined = this.#raid?.goes_at_ms;
    this.#end();
    if (url) this.leave(url);
  }

  #end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#raid = undefined;
    this.#box.hidden = true;
  }
}
