/** The giveaway on the viewer page: taking part, who has won, and the draw done again. */
import { sayEngage, sayMany } from '../../chat/engage-words';
import type { ChatLocale } from '../../chat/says';
import type { Giveaway } from '../../lib/protocol/chat';
import { check, readProof, type Verdict } from './draw';
import { Fold, icon, make, write } from './elements';

export class GiveawayCard {
  readonly element = make('section', 'card giveaway');
  /** Which giveaway it shows. */
  id: number | undefined;
  #kind = make('p', 'card-kind');
  #count = make('span', 'card-clock');
  #prize = make('h3', 'card-title');
  #enter = make('button', 'card-key');
  #state = make('p', 'card-words');
  #won = make('p', 'giveaway-won');
  #rule = make('p', 'card-hint');
  #note = make('p', 'card-note');
  #fairTitle = make('span');
  #fair = make('details', 'fair', make('summary', '', this.#fairTitle, icon('fold')));
  #before = make('p');
  #sealTitle = make('b');
  #seal = make('code');
  #check = make('button', 'card-key quiet');
  #verdict = make('p', 'giveaway-verdict');
  #list = make('a');
  #fold = new Fold(this.element);
  #commitment: string | undefined;
  #entry: string | undefined;
  #locale: ChatLocale = 'en';
  #found: Verdict | 'unreadable' | 'insecure' | 'checking' | undefined;

  /** `onEnter` gives back why somebody cannot take part, or nothing. */
  constructor(
    private readonly room: string,
    private readonly onEnter: (giveaway: number) => Promise<string | undefined>,
  ) {
    this.#prize.id = 'giveaway-prize';
    this.element.setAttribute('aria-labelledby', this.#prize.id);
    for (const live of [this.#note, this.#verdict]) live.setAttribute('aria-live', 'polite');
    for (const key of [this.#enter, this.#check]) key.type = 'button';
    this.#list.target = '_blank';
    this.#list.rel = 'noopener noreferrer';
    this.#enter.addEventListener('click', () => void this.#take());
    this.#check.addEventListener('click', () => void this.#again());
    const head = make('div', 'card-head', this.#kind, this.#count, this.#fold.button);
    this.#fair.append(make('div', 'fair-body', this.#before, make('p', '', this.#sealTitle, ' ', this.#seal), this.#check, this.#verdict, this.#list));
    const body = make('div', 'card-body', this.#won, this.#state, this.#enter, this.#rule, this.#note, this.#fair);
    this.element.append(head, this.#prize, body);
  }

  show(giveaway: Giveaway, entry: string | undefined, locale: ChatLocale): void {
    if (this.id !== giveaway.id) {
      this.id = giveaway.id;
      this.#commitment = giveaway.commitment;
      this.#found = undefined;
      this.#fair.open = false;
      this.#fold.turn(false);
      write(this.#note, '');
    }
    this.#entry = entry;
    this.#locale = locale;
    const { state } = giveaway;
    const say = (key: Parameters<typeof sayEngage>[1], blanks?: Record<string, string>) => sayEngage(locale, key, blanks);
    write(this.#kind, `${say('engage_giveaway')} · ${sayMany(locale, 'winners', giveaway.winners)}`);
    write(this.#count, sayMany(locale, 'entries', giveaway.entries));
    write(this.#prize, giveaway.prize);
    this.#fold.speak(say('engage_fold'), say('engage_unfold'));
    const drawn = state.is === 'drawn' ? state : undefined;
    const won = drawn?.winners.some((winner) => winner.entry === entry) ?? false;
    this.#won.hidden = !drawn || entry === undefined;
    this.#won.classList.toggle('is-mine', won);
    write(this.#won, this.#won.hidden ? '' : say(won ? 'engage_giveaway_won' : 'engage_giveaway_not_won'));
    const names = new Intl.ListFormat(locale).format(drawn?.winners.map((winner) => winner.name) ?? []);
    const stands = drawn
      ? say('engage_giveaway_winners', { names })
      : [state.is === 'closed' && say('engage_giveaway_closed'), entry !== undefined && say('engage_giveaway_in', { entry })].filter(Boolean).join(' ');
    this.#state.hidden = stands === '';
    write(this.#state, stands);
    this.#enter.hidden = state.is !== 'open' || entry !== undefined;
    write(this.#enter, say('engage_giveaway_enter'));
    this.#rule.hidden = this.#enter.hidden;
    write(this.#rule, say('engage_giveaway_rule'));
    write(this.#fairTitle, say('engage_giveaway_fair'));
    write(this.#before, say('engage_giveaway_before'));
    write(this.#sealTitle, say('engage_giveaway_seal'));
    write(this.#seal, giveaway.commitment);
    this.#check.hidden = this.#list.hidden = !drawn;
    write(this.#check, say('engage_giveaway_check'));
    write(this.#list, say('engage_giveaway_list'));
    this.#list.href = this.#address();
    this.#sayFound();
  }

  #address(): string {
    return `/api/rooms/${encodeURIComponent(this.room)}/giveaways/${this.id}`;
  }

  async #take(): Promise<void> {
    if (this.id !== undefined) write(this.#note, (await this.onEnter(this.id)) ?? '');
  }

  async #again(): Promise<void> {
    const { id } = this;
    this.#found = 'checking';
    this.#sayFound();
    const found = await this.#verify();
    if (this.id !== id) return;
    this.#found = found;
    this.#sayFound();
  }

  async #verify(): Promise<Verdict | 'unreadable' | 'insecure'> {
    const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined;
    if (!subtle) return 'insecure';
    try {
      const answer = await fetch(this.#address());
      const proof = answer.ok ? readProof(await answer.json()) : undefined;
      return proof ? await check(subtle, proof, { commitment: this.#commitment, entry: this.#entry }) : 'unreadable';
    } catch {
      return 'unreadable';
    }
  }

  #sayFound(): void {
    const found = this.#found;
    const say = (key: Parameters<typeof sayEngage>[1], blanks?: Record<string, string>) => sayEngage(this.#locale, key, blanks);
    this.#verdict.classList.toggle('breaks', typeof found === 'object' && !found.holds);
    if (found === undefined) write(this.#verdict, '');
    else if (typeof found === 'string') write(this.#verdict, say(`engage_giveaway_${found}`));
    else if (!found.holds) write(this.#verdict, say('engage_giveaway_breaks', { what: say(`engage_giveaway_breaks_${found.because}`) }));
    else {
      const entries = new Intl.NumberFormat(this.#locale).format(found.entries);
      const mine = this.#entry === undefined ? [] : [say('engage_giveaway_holds_mine')];
      write(this.#verdict, [say('engage_giveaway_holds', { entries }), ...mine].join(' '));
    }
  }
}
