/** The list of messages on the viewer page: elements by number, the newest in sight unless somebody reads above. */
import { sayChat, sayCount, sayRole } from '../chat/says';
import { Pace } from '../chat/pace';
import type { ChatRoom } from '../chat/room';
import { colourOf, parts } from '../chat/text';
import { sayMoney, saySum } from '../money/says';
import type { Message, Tip } from '../lib/protocol/chat';
import { sayTime, type Locale } from './words';

/** This near to its end a list counts as being at its end, in pixels. */
const NEAR = 48;

const element = <K extends keyof HTMLElementTagNameMap>(tag: K, className = '', text = ''): HTMLElementTagNameMap[K] => {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
};

/** Words with their links, as elements; nothing of a message is ever read as markup. */
export function words(text: string): Node[] {
  return parts(text).map((part) => {
    if (part.is === 'text') return document.createTextNode(part.text);
    const link = element('a', '', part.text);
    link.href = part.href;
    link.rel = 'noopener noreferrer nofollow ugc';
    link.target = '_blank';
    return link;
  });
}

export class ChatLog {
  #shown = new Map<number, HTMLElement>();
  #pace = new Pace();
  #unread = 0;
  #following = true;
  #locale: Locale = 'en';

  constructor(
    private readonly room: ChatRoom,
    private readonly log: HTMLElement,
    private readonly newer: HTMLButtonElement,
    private readonly newerText: HTMLElement,
    private readonly counted: HTMLElement,
    private readonly onReply: (message: Message) => void,
  ) {
    log.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    newer.addEventListener('click', () => {
      this.toEnd();
      this.log.focus({ preventScroll: true });
    });
    log.addEventListener('click', (event) => this.#clicked(event));
    log.addEventListener('keydown', (event) => this.#keyed(event));
    // A keyboard that opens makes the list shorter; what was in sight at its end stays in sight.
    new ResizeObserver(() => this.#following && this.toEnd()).observe(log);
  }

  /** Another language: every message is made again. */
  speak(locale: Locale): void {
    this.#locale = locale;
    this.log.setAttribute('aria-live', 'off');
    this.log.replaceChildren();
    this.#shown.clear();
    this.show([]);
  }

  /** Makes the list what the room is. `said` are the messages that have just been said. */
  show(said: readonly Message[]): void {
    const now = performance.now();
    const others = said.filter((message) => !this.room.isOwn(message)).length;
    const flooded = this.#pace.take(others, now);
    // A first page, a change of language and a flood are not read out.
    this.log.setAttribute('aria-live', said.length > 0 && !flooded ? 'polite' : 'off');
    this.#sync();
    const count = this.#pace.count(now);
    if (count > 0) this.counted.textContent = sayCount(this.#locale, 'new', count);
    if (this.#following || said.some((message) => this.room.isOwn(message))) this.toEnd();
    else this.#unread += others;
    this.#showUnread();
  }

  toEnd(): void {
    this.#following = true;
    this.#unread = 0;
    this.log.scrollTop = this.log.scrollHeight;
    this.#showUnread();
  }

  /** Goes to a message and gives it the focus. */
  focus(seq: number): boolean {
    const target = this.#shown.get(seq);
    target?.focus();
    return target !== undefined;
  }

  #sync(): void {
    const lines = this.#lines();
    const wanted = new Set(lines.map((line) => line.seq));
    const before = this.log.scrollTop;
    let gone = 0;
    for (const [seq, shown] of this.#shown) {
      if (wanted.has(seq)) continue;
      if (!this.#following && shown.offsetTop < before) gone += shown.offsetHeight;
      // The focus of a message that goes stays in the list.
      if (shown.contains(document.activeElement)) this.log.focus({ preventScroll: true });
      shown.remove();
      this.#shown.delete(seq);
    }
    let next: ChildNode | null = this.log.firstChild;
    for (const line of lines) {
      let shown = this.#shown.get(line.seq);
      if (!shown) {
        shown = 'sum' in line ? this.#makeTip(line) : this.#make(line);
        this.#shown.set(line.seq, shown);
        this.log.insertBefore(shown, next);
      } else {
        next = shown.nextSibling;
      }
    }
    if (gone > 0) this.log.scrollTop = before - gone;
  }

  /** Messages and tips in the order in which they came. */
  #lines(): (Message | Tip)[] {
    const { messages, money } = this.room;
    if (money.tips.length === 0) return messages;
    return [...messages, ...money.tips].sort((a, b) => a.seq - b.seq);
  }

  #makeTip(tip: Tip): HTMLElement {
    const made = element('div', 'msg tip');
    made.tabIndex = -1;
    made.dataset.seq = String(tip.seq);
    const said = element('p', 'said');
    // The sentence is cut at its blanks, so that each stands in an element of its own: what a person wrote fills no blank.
    for (const part of sayMoney(this.#locale, 'money_tip_of').split(/(\{\w+\})/)) {
      if (part === '{sum}') said.append(element('b', 'amount', saySum(this.#locale, tip.sum)));
      else if (part === '{name}') said.append(element('b', 'tipper', tip.name));
      else said.append(part);
    }
    const at = new Date(tip.at_ms);
    const time = element('time', '', sayTime(this.#locale, at));
    time.dateTime = at.toISOString();
    made.append(said, time);
    if (tip.message) made.append(element('p', 'tip-words', tip.message));
    return made;
  }

  #make(message: Message): HTMLElement {
    const { author } = message;
    const made = element('div', 'msg');
    made.tabIndex = -1;
    made.dataset.seq = String(message.seq);
    const forYou = this.room.isForYou(message);
    const own = this.room.isOwn(message);
    made.classList.toggle('own', own);
    made.classList.toggle('for-you', forYou);
    if (message.reply) {
      const quote = element('p', 'quote');
      quote.append(element('b', '', message.reply.name), ` ${message.reply.text}`);
      made.append(quote);
    }
    const said = element('p', 'said');
    said.append(element('span', `who who-${colourOf(author.id)}`, author.name), ' ');
    const role = sayRole(this.#locale, author.role);
    if (role) said.append(element('span', 'role', role), ' ');
    if (forYou) said.append(element('span', 'unseen', `${sayChat(this.#locale, 'chat_for_you')}: `));
    if (own) said.append(element('span', 'unseen', `${sayChat(this.#locale, 'chat_yours')}: `));
    said.append(...words(message.text));
    const at = new Date(message.at_ms);
    const time = element('time', '', sayTime(this.#locale, at));
    time.dateTime = at.toISOString();
    const reply = element('button', 'reply', sayChat(this.#locale, 'chat_reply'));
    reply.type = 'button';
    // One stop for the whole list: R and Enter do the same on the message that has the focus.
    reply.tabIndex = -1;
    made.append(said, time, reply);
    return made;
  }

  #messageOf(target: EventTarget | null): { shown: HTMLElement; message: Message } | undefined {
    const shown = target instanceof Element ? target.closest<HTMLElement>('.msg') : null;
    const message = shown ? this.room.find(Number(shown.dataset.seq)) : undefined;
    return shown && message ? { shown, message } : undefined;
  }

  #clicked(event: MouseEvent): void {
    const found = this.#messageOf(event.target);
    if (!found || (event.target as Element).closest('a')) return;
    if ((event.target as Element).closest('.reply')) {
      this.onReply(found.message);
      return;
    }
    // A tap shows what can be done with the message; another one puts it away.
    const open = found.shown.classList.contains('open');
    for (const other of this.log.querySelectorAll('.msg.open')) other.classList.remove('open');
    found.shown.classList.toggle('open', !open);
  }

  #keyed(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const found = this.#messageOf(event.target);
    const children = this.log.children;
    const go = (to: Element | null | undefined) => to instanceof HTMLElement && to.focus();
    if (event.key === 'ArrowUp') go(found ? found.shown.previousElementSibling : children[children.length - 1]);
    else if (event.key === 'ArrowDown' && found) go(found.shown.nextElementSibling);
    else if (event.key === 'Home' && found) go(children[0]);
    else if (event.key === 'End' && found) go(children[children.length - 1]);
    else if ((event.key === 'r' || event.key === 'R' || event.key === 'Enter') && found && event.target === found.shown) {
      this.onReply(found.message);
    } else return;
    event.preventDefault();
  }

  #scrolled(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.log;
    this.#following = scrollHeight - scrollTop - clientHeight < NEAR;
    if (this.#following) this.#unread = 0;
    this.#showUnread();
  }

  #showUnread(): void {
    this.newer.hidden = this.#unread === 0;
    if (this.#unread > 0) this.newerText.textContent = sayCount(this.#locale, 'new', this.#unread);
  }
}
