/** The room's chat as a page knows it: a snapshot, and the events after it. */
import type { Engagement, Entry, Event, Held, Interest, Message, Moderator, Money, MoneyHappening, Pinned, Product, Pulse, Restriction, Rules, You } from '../lib/protocol/chat';
import { ServerClock } from './clock';
import { engaged, nothing, pulsed } from './engage';
import type { Welcome } from './link';

/** Messages that a page keeps. */
export const MOST_MESSAGES = 300;
/** Messages that a page keeps while somebody reads what was said before. */
const MOST_WITH_OLDER = 2000;
const MOST_ENTRIES = 500;
/** Tips that a page keeps, as many as the server shows at first. */
const MOST_TIPS = 50;

export class ChatRoom {
  you: You | undefined;
  /** Oldest first. */
  messages: Message[] = [];
  pinned: Pinned | undefined;
  rules: Rules = { slow_mode_s: 0, hold_links: true, emoji_only: false, locked: false, blocked_words: [], hold_blocked: true, keep_days: 30 };
  held: Held[] = [];
  restrictions: Restriction[] = [];
  moderators: Moderator[] = [];
  /** The show's products, in the host's order. */
  products: Product[] = [];
  /** Numbers of those that are shown, in their order. */
  featured: string[] = [];
  /** For host and moderators: what viewers did with products that somebody has touched. */
  interest: Interest[] = [];
  /** Tips, goal and what a ticket costs. */
  money: Money = { test: false, tips: [] };
  /** Grows whenever the host's books change. */
  booked = 0;
  /** What the room does together. */
  engage: Engagement = nothing();
  readonly clock = new ServerClock();
  /** The log as far as it is known, newest first. */
  entries: Entry[] = [];
  /** What keeps this page's person from speaking. */
  restriction: Restriction | undefined;
  #most: number;
  #older = 0;
  /** Whether {@link messages} is a copy that nobody else has seen yet, and may be changed in place. */
  #fresh = false;

  constructor(most = MOST_MESSAGES) {
    this.#most = most;
  }

  get moderates(): boolean {
    return this.you !== undefined && this.you.role !== 'viewer';
  }

  /** Takes in what the server says of the room at first; gives back the messages that were missed. */
  welcome(welcome: Welcome): Message[] {
    this.you = welcome.you;
    this.restriction = welcome.you.restriction;
    this.clock.set(welcome.now_ms);
    this.interest = welcome.interest ?? [];
    const { snapshot } = welcome;
    if (snapshot) {
      this.messages = snapshot.messages.slice(-this.#most);
      this.pinned = snapshot.pinned;
      this.rules = snapshot.rules;
      this.held = snapshot.held;
      this.restrictions = snapshot.restrictions;
      this.moderators = snapshot.moderators;
      this.products = snapshot.products;
      this.featured = snapshot.featured;
      this.money = snapshot.money;
      this.entries = [];
      this.#older = 0;
    }
    const missed = this.apply(welcome.events);
    // It is said as it is after what was missed.
    this.engage = welcome.engage ?? nothing();
    return missed;
  }

  /** Takes events in; gives back the messages that were said by them. */
  apply(events: readonly Event[]): Message[] {
    const said: Message[] = [];
    for (const event of events) {
      if (event.kind === 'said') said.push(event.message);
      this.#take(event);
    }
    this.#settle();
    return said.filter((message) => this.has(message.seq));
  }

  /** Takes in what viewers did together. */
  pulse(pulse: Pulse): void {
    this.engage = pulsed(this.engage, pulse);
  }

  /** Puts a page of what was said before in front. */
  prepend(messages: readonly Message[]): void {
    const older = messages.filter((message) => !this.has(message.seq));
    this.#older = Math.min(this.#older + older.length, MOST_WITH_OLDER);
    for (const message of older) this.#put(message);
    this.#settle();
  }

  /** Nobody reads the older messages any more. */
  forgetOlder(): void {
    this.#older = 0;
    this.#settle();
  }

  /** Puts a page of the log behind. */
  logged(entries: readonly Entry[]): void {
    for (const entry of entries) this.#enter(entry);
  }

  has(seq: number): boolean {
    return this.find(seq) !== undefined;
  }

  find(seq: number): Message | undefined {
    const message = this.messages[this.#place(seq)];
    return message?.seq === seq ? message : undefined;
  }

  isOwn(message: Message): boolean {
    return message.author.id === this.you?.id;
  }

  /** Whether it speaks to this page's person: by an @, or as an answer. */
  isForYou(message: Message): boolean {
    const { you } = this;
    if (!you || this.isOwn(message)) return false;
    if (message.mentions?.includes(you.id)) return true;
    const answered = message.reply && this.find(message.reply.message);
    return answered !== undefined && this.isOwn(answered);
  }

  /** Whether a message whose answer was lost is there all the same. */
  saidSince(seq: number, text: string): boolean {
    const tidy = (words: string) => words.normalize('NFC').replace(/\s+/g, ' ').trim();
    return this.messages.some((message) => message.seq > seq && this.isOwn(message) && tidy(message.text) === tidy(text));
  }

  /** What is shown, in its order. */
  get shown(): Product[] {
    return this.featured.flatMap((id) => this.products.find((product) => product.id === id) ?? []);
  }

  /** What keeps this page's person from speaking now, by the server's clock. */
  restrictionAt(now = this.clock.now()): Restriction | undefined {
    const { restriction } = this;
    return restriction?.until_ms !== undefined && restriction.until_ms <= now ? undefined : restriction;
  }

  #take(event: Event): void {
    switch (event.kind) {
      case 'said':
        return this.#put(event.message);
      case 'deleted':
        this.messages = this.messages.filter((message) => !event.messages.includes(message.seq));
        return;
      case 'all_deleted':
        this.messages = this.messages.filter((message) => message.author.id !== event.member);
        return;
      case 'restored':
        for (const message of event.messages) this.#put(message);
        return;
      case 'cleared':
        this.messages = [];
        return;
      case 'pinned':
        this.pinned = { message: event.message, by: event.by };
        return;
      case 'unpinned':
        this.pinned = undefined;
        return;
      case 'ruled':
        this.rules = event.rules;
        return;
      case 'held':
        this.held = [...this.held.filter((held) => held.message.seq !== event.held.message.seq), event.held];
        return;
      case 'decided':
        this.held = this.held.filter((held) => held.message.seq !== event.message);
        return;
      case 'restricted':
        this.#restrict(event.restriction);
        return;
      case 'lifted':
        this.restrictions = this.restrictions.filter((one) => one.member !== event.member);
        if (this.restriction?.member === event.member) this.restriction = undefined;
        return;
      case 'invited':
        this.moderators = [...this.moderators.filter((one) => one.member !== event.moderator.member), event.moderator];
        return;
      case 'uninvited':
        this.moderators = this.moderators.filter((one) => one.member !== event.member);
        return;
      case 'listed':
        this.products = event.products;
        this.featured = event.featured;
        return;
      case 'product_changed':
        this.products = this.products.map((one) => (one.id === event.product.id ? event.product : one));
        return;
      case 'featured':
        this.featured = event.products;
        return;
      case 'money':
        return this.#pay(event.what);
      case 'engaged':
        this.engage = engaged(this.engage, event.what);
        return;
      case 'logged':
        if (event.entry.act.do === 'money') this.booked++;
        return this.#enter(event.entry);
    }
  }

  #pay(what: MoneyHappening): void {
    switch (what.is) {
      case 'tipped':
        this.money = { ...this.money, tips: [...this.money.tips, what.tip].slice(-MOST_TIPS) };
        return;
      case 'goal': {
        const { goal: _, ...others } = this.money;
        this.money = what.goal ? { ...others, goal: what.goal } : others;
        return;
      }
      case 'priced': {
        const { ticket: _, ...others } = this.money;
        this.money = what.ticket ? { ...others, ticket: what.ticket } : others;
        return;
      }
      case 'show':
      case 'booked':
        this.booked++;
    }
  }

  #restrict(restriction: Restriction): void {
    if (restriction.member === this.you?.id) this.restriction = restriction;
    if (!this.moderates) return;
    const others = this.restrictions.filter((one) => one.member !== restriction.member);
    this.restrictions = [...others, restriction].sort((a, b) => a.name.localeCompare(b.name));
  }

  /** In its place by number; the newest is the usual case. */
  #put(message: Message): void {
    const at = this.#place(message.seq);
    if (this.messages[at]?.seq === message.seq) return;
    if (!this.#fresh) {
      // One copy for all that one batch brings: there may be a hundred thousand.
      this.messages = [...this.messages];
      this.#fresh = true;
    }
    this.messages.splice(at, 0, message);
  }

  /** Index of the first message with this number or a later one. */
  #place(seq: number): number {
    const { messages } = this;
    let low = 0;
    let high = messages.length;
    if ((messages[high - 1]?.seq ?? 0) < seq) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((messages[middle]?.seq ?? 0) < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Forgets what is too much; from then on the messages are those that everybody sees. */
  #settle(): void {
    const most = this.#most + this.#older;
    if (this.messages.length > most) this.messages = this.messages.slice(-most);
    this.#fresh = false;
  }

  #enter(entry: Entry): void {
    const { act } = entry;
    let known = this.entries.filter((one) => one.number !== entry.number);
    // What was taken back once cannot be again.
    if (act.do === 'undo') {
      known = known.map((one) => (one.number === act.entry ? { ...one, undoable: false } : one));
    }
    const undone = known.some((one) => one.act.do === 'undo' && one.act.entry === entry.number);
    known.push(undone ? { ...entry, undoable: false } : entry);
    this.entries = known.sort((a, b) => b.number - a.number).slice(0, MOST_ENTRIES);
  }
}
