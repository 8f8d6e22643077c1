/** What the page knows and does: the room's chat, acts with their undo, what was said before, the log. */
import { ChatClient, type Door } from '../chat/client';
import { nothing } from '../chat/engage';
import type { Answer, LinkState, Request } from '../chat/link';
import { ChatRoom } from '../chat/room';
import { sayRefused } from '../chat/says';
import type { Act, CurvePoint, Engagement, Entry, Event, Export, Held, Interest, Message, Moderator, Money, Pinned, Product, Restriction, Rules, ShowFigures, Watching, You } from '../lib/protocol/chat';
import { invitation } from './token';
import { c, language, t } from './words.svelte';

/** Messages at hand without paging. */
const MOST = 300;
/** Least time between two changes of the list. */
const BETWEEN_LISTS_MS = 100;
/** How long an act can be taken back from where it was said. */
const UNDO_MS = 8000;

/** What was just done, or why it was not. */
export interface Notice {
  text: string;
  failed: boolean;
  /** Number in the log, if it can be taken back. */
  undo?: number;
}

export interface Found {
  words: string;
  messages: Message[];
  more: boolean;
  busy: boolean;
}

/** Where a room's chat is reached, and as whom. */
export interface Reach {
  room: string;
  token?: string;
  door?: () => Promise<Door>;
  /** Origin of the moderators' page, for invitations. */
  origin: string;
  /** Messages at hand without paging. */
  most?: number;
  /** The token with which to come back. */
  onToken?(token: string): void;
  /** Messages were deleted. */
  onGone?(which: (message: Message) => boolean): void;
}

const same = (a: Act, b: Act): boolean => {
  const flat = (act: Act) => JSON.stringify(Object.entries(act).sort(([one], [other]) => one.localeCompare(other)));
  return flat(a) === flat(b);
};

export class Moderation {
  link = $state.raw<LinkState>({ is: 'idle' });
  you = $state.raw<You | undefined>();
  messages = $state.raw<Message[]>([]);
  pinned = $state.raw<Pinned | undefined>();
  rules = $state.raw<Rules | undefined>();
  held = $state.raw<Held[]>([]);
  restrictions = $state.raw<Restriction[]>([]);
  moderators = $state.raw<Moderator[]>([]);
  products = $state.raw<Product[]>([]);
  /** Numbers of the products that viewers are shown. */
  featured = $state.raw<string[]>([]);
  interest = $state.raw<Interest[]>([]);
  /** Of the show that is on, or the last one. */
  watching = $state.raw<Watching | undefined>();
  money = $state.raw<Money>({ test: false, tips: [] });
  /** Grows whenever the books change. */
  booked = $state(0);
  /** What the room does together. */
  engage = $state.raw<Engagement>(nothing());
  entries = $state.raw<Entry[]>([]);
  notice = $state.raw<Notice | undefined>();
  found = $state.raw<Found | undefined>();
  replyTo = $state.raw<Message | undefined>();
  /** Whether there are older messages than those at hand, as far as is known. */
  older = $state(true);
  olderEntries = $state(true);
  unread = $state(0);
  readonly room: ChatRoom;
  readonly reach: Reach;
  #client: ChatClient;
  #mine: { act: Act; text: string }[] = [];
  #clearing: ReturnType<typeof setTimeout> | undefined;
  #most: number;
  #waiting: Event[] = [];
  #soon: ReturnType<typeof setTimeout> | undefined;
  #tookIn = 0;
  #listening = new AbortController();

  constructor(reach: Reach) {
    this.reach = reach;
    this.#most = reach.most ?? MOST;
    this.room = new ChatRoom(this.#most);
    const { token, door } = reach;
    this.#client = new ChatClient({
      room: reach.room,
      ...(token === undefined ? {} : { token }),
      ...(door === undefined ? {} : { door }),
      forgets: false,
      onWelcome: (welcome) => {
        this.#happened();
        this.room.welcome(welcome);
        if (this.room.moderates) reach.onToken?.(welcome.you.token);
        if (welcome.snapshot) {
          this.older = welcome.snapshot.messages.length > 0;
          this.olderEntries = true;
        }
        this.#show();
        if (!this.room.moderates) return;
        if (welcome.snapshot) void this.readLog();
        // The server may have started again: what could be taken back perhaps cannot be any more.
        else void this.readLog(true);
      },
      onEvents: (events) => this.#hear(events),
      onInterest: (products) => (this.room.interest = this.interest = products),
      onWatching: (watching) => (this.watching = watching),
      onPulse: (pulse) => {
        // Events that wait come before it.
        this.#happened();
        this.room.pulse(pulse);
        this.engage = this.room.engage;
      },
      onState: (state) => (this.link = state),
    });
    const turned = () => {
      if (document.visibilityState === 'visible') this.unread = 0;
    };
    document.addEventListener('visibilitychange', turned, { signal: this.#listening.signal });
  }

  start(): void {
    this.#client.start();
  }

  stop(): void {
    this.#listening.abort();
    clearTimeout(this.#clearing);
    clearTimeout(this.#soon);
    this.#waiting = [];
    this.#client.stop();
  }

  get moderates(): boolean {
    return this.you !== undefined && this.you.role !== 'viewer';
  }

  get hosts(): boolean {
    return this.you?.role === 'host';
  }

  /** Whether an act on what this author says is for this page's person: moderators keep order among viewers. */
  mayTouch(message: Message): boolean {
    return this.hosts || message.author.role === 'viewer';
  }

  /** Says something; the reason why not, or nothing. */
  async say(text: string): Promise<string | undefined> {
    const reply = this.replyTo ? { reply_to: this.replyTo.seq } : {};
    const since = this.messages[this.messages.length - 1]?.seq ?? 0;
    const answer = await this.#client.ask({ type: 'say', text, ...reply });
    if (answer.type === 'lost' && this.room.saidSince(since, text)) return undefined;
    const why = this.#why(answer);
    if (why === undefined) this.replyTo = undefined;
    return why;
  }

  /** Does something, and says so with a way back; true if it was done. */
  async act(act: Act, text: string): Promise<boolean> {
    const mine = { act, text };
    // From here on a way back would lead to what was done before.
    this.notice = undefined;
    this.#mine.push(mine);
    const answer = await this.#client.ask({ type: 'moderate', act });
    const why = this.#why(answer);
    if (why !== undefined) {
      this.#mine = this.#mine.filter((other) => other !== mine);
      this.#say({ text: why, failed: true });
    }
    return why === undefined;
  }

  /** Asks something that shows nowhere here. */
  ask(request: Request): Promise<Answer> {
    return this.#client.ask(request);
  }

  undo(entry: number): Promise<boolean> {
    return this.act({ do: 'undo', entry }, t('moderate_done_undo'));
  }

  /** Shows this product and no other. */
  featureAlone(product: Product): Promise<boolean> {
    return this.#feature([product.id], t('moderate_done_feature', { name: product.title }));
  }

  /** Shows this product beside those that are shown. */
  featureToo(product: Product): Promise<boolean> {
    return this.#feature([...this.featured, product.id], t('moderate_done_feature', { name: product.title }));
  }

  takeOff(product: Product): Promise<boolean> {
    const others = this.featured.filter((id) => id !== product.id);
    return this.#feature(others, t('moderate_done_take_off', { name: product.title }));
  }

  featureNone(): Promise<boolean> {
    return this.#feature([], t('moderate_done_feature_none'));
  }

  #feature(products: string[], text: string): Promise<boolean> {
    return this.act({ do: 'feature', products }, text);
  }

  /** The room's shows, the last one first; undefined when they cannot be had now. */
  async shows(): Promise<ShowFigures[] | undefined> {
    const answer = await this.#client.ask({ type: 'shows' });
    return answer.type === 'shows' ? answer.shows : undefined;
  }

  /** A show minute by minute. */
  async curve(show: number): Promise<CurvePoint[] | undefined> {
    const answer = await this.#client.ask({ type: 'curve', show });
    return answer.type === 'curve' ? answer.minutes : undefined;
  }

  /** All that is kept of a viewer; says why not. */
  async export(member: string): Promise<Export | undefined> {
    const answer = await this.#client.ask({ type: 'export', member });
    if (answer.type === 'exported') return answer.export;
    this.#say({ text: this.#why(answer) ?? '', failed: true });
    return undefined;
  }

  /** A link for a new moderator, or why there is none. */
  async invite(name: string): Promise<{ link: string } | { why: string }> {
    const answer = await this.#client.ask({ type: 'moderate', act: { do: 'invite', name } });
    if (answer.type === 'done' && answer.result === 'invited') return { link: invitation(this.reach.origin, this.reach.room, answer.token) };
    return { why: this.#why(answer) ?? c('chat_refused_unavailable') };
  }

  /** The messages before those at hand. */
  async readOlder(): Promise<void> {
    const before = this.messages[0]?.seq;
    if (before === undefined) return;
    const answer = await this.#client.ask({ type: 'history', before });
    if (answer.type !== 'history') return;
    this.room.prepend(answer.messages);
    this.older = answer.more;
    this.#show();
  }

  /** Nobody reads older messages now. */
  atEnd(): void {
    this.unread = 0;
    if (this.room.messages.length <= this.#most) return;
    this.room.forgetOlder();
    this.older = true;
    this.#show();
  }

  /** Looks for words in everything that is kept; more of the same when they are asked for again. */
  async search(words: string): Promise<void> {
    if (words.trim() === '') {
      this.found = undefined;
      return;
    }
    const known = this.found?.words === words ? this.found.messages : [];
    this.found = { words, messages: known, more: false, busy: true };
    const before = known[0]?.seq ?? Number.MAX_SAFE_INTEGER;
    const answer = await this.#client.ask({ type: 'history', before, search: words });
    if (this.found?.words !== words) return;
    if (answer.type === 'history') {
      this.found = { words, messages: [...answer.messages, ...known], more: answer.more, busy: false };
    } else {
      this.found = { ...this.found, busy: false };
      this.#say({ text: this.#why(answer) ?? '', failed: true });
    }
  }

  /** Entries before those that are here; with `newest` the last ones, again. */
  async readLog(newest = false): Promise<void> {
    const last = newest ? undefined : this.entries[this.entries.length - 1]?.number;
    const answer = await this.#client.ask(last === undefined ? { type: 'log' } : { type: 'log', before: last });
    if (answer.type !== 'log') return;
    this.room.logged(answer.entries);
    if (newest) return this.#show();
    this.olderEntries = answer.entries.length > 0 && (answer.entries[answer.entries.length - 1]?.number ?? 1) > 1;
    this.#show();
  }

  dismiss(): void {
    this.notice = undefined;
  }

  /** The first is taken in at once; what comes close behind, together: nobody reads more lists than ten a second. */
  #hear(events: readonly Event[]): void {
    this.#waiting.push(...events);
    if (this.#soon !== undefined) return;
    const wait = this.#tookIn + BETWEEN_LISTS_MS - performance.now();
    if (wait <= 0) this.#happened();
    else this.#soon = setTimeout(() => this.#happened(), wait);
  }

  #happened(): void {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    const events = this.#waiting;
    if (events.length === 0) return;
    this.#waiting = [];
    this.#tookIn = performance.now();
    const said = this.room.apply(events);
    for (const event of events) {
      if (event.kind === 'logged') this.#logged(event.entry);
      if (event.kind === 'deleted') this.#gone((message) => event.messages.includes(message.seq));
      if (event.kind === 'all_deleted') this.#gone((message) => message.author.id === event.member);
      if (event.kind === 'cleared') this.#gone(() => true);
    }
    const others = said.filter((message) => !this.room.isOwn(message)).length;
    const held = events.filter((event) => event.kind === 'held').length;
    if (document.visibilityState === 'hidden') this.unread += others + held;
    this.#show();
  }

  /** What was found is shown without what has gone since. */
  #gone(which: (message: Message) => boolean): void {
    this.reach.onGone?.(which);
    if (!this.found) return;
    this.found = { ...this.found, messages: this.found.messages.filter((message) => !which(message)) };
  }

  #logged(entry: Entry): void {
    if (entry.by.id !== this.you?.id) return;
    const mine = this.#mine.find((one) => same(one.act, entry.act));
    if (!mine) return;
    this.#mine = this.#mine.filter((one) => one !== mine);
    this.#say({ text: mine.text, failed: false, ...(entry.undoable ? { undo: entry.number } : {}) });
  }

  #say(notice: Notice): void {
    this.notice = notice;
    clearTimeout(this.#clearing);
    this.#clearing = setTimeout(() => (this.notice = undefined), UNDO_MS);
  }

  #why(answer: Answer): string | undefined {
    if (answer.type === 'refused') return sayRefused(language.current, answer);
    return answer.type === 'lost' ? t('moderate_lost') : undefined;
  }

  #show(): void {
    const { room } = this;
    this.you = room.you;
    this.messages = room.messages;
    this.pinned = room.pinned;
    this.rules = room.rules;
    this.held = room.held;
    this.restrictions = room.restrictions;
    this.moderators = room.moderators;
    this.products = room.products;
    this.featured = room.featured;
    this.interest = room.interest;
    this.money = room.money;
    this.booked = room.booked;
    this.engage = room.engage;
    this.entries = room.entries;
  }
}
