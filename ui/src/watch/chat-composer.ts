/** Where the person writes: what may be sent, under which name, and why not. */
import type { ChatClient } from '../chat/client';
import type { Answer, LinkState } from '../chat/link';
import type { ChatRoom } from '../chat/room';
import { sayChat, sayCount, sayRefused, sayWait } from '../chat/says';
import { lengthOf } from '../chat/text';
import type { Message } from '../lib/protocol/chat';
import { rememberName, rememberToken, rememberedName } from './chat-memory';
import { say, type Locale } from './words';

/** Characters of a message, as the server has it, and from how many on they are counted out. */
const MOST = 500;
const COUNTED_FROM = 400;

function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as T;
}

/** What waits for the answer that was lost. */
interface Unsure {
  text: string;
  since: number;
}

export class Composer {
  #form = byId<HTMLFormElement>('chat-form');
  #text = byId<HTMLTextAreaElement>('chat-text');
  #send = byId<HTMLButtonElement>('chat-send');
  #note = byId('chat-note');
  #rule = byId('chat-rule');
  #left = byId('chat-left');
  #naming = byId('chat-naming');
  #name = byId<HTMLInputElement>('chat-name');
  #locale: Locale = 'en';
  #link: LinkState = { is: 'idle' };
  #replyTo: Message | undefined;
  #sending = false;
  /** The person has said how they want to be called. */
  #named = rememberedName() !== undefined;
  #unsure: Unsure | undefined;
  /** Said again in another language, hence kept as a question. */
  #noted: () => string = () => '';
  #tick: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly name: string,
    private readonly room: ChatRoom,
    private readonly client: ChatClient,
    private readonly onSent: () => void,
  ) {
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#submit();
    });
    this.#text.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && this.#replyTo) this.reply(undefined);
      // A word that is being composed (Japanese, Chinese, dead keys) takes Enter for itself.
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      void this.#submit();
    });
    this.#text.addEventListener('input', () => {
      this.#say(() => '');
      this.show();
    });
    this.#name.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.#nameAsked(false);
      if (event.key !== 'Enter' || event.isComposing) return;
      event.preventDefault();
      void this.#keepName();
    });
    byId('chat-keep').addEventListener('click', () => void this.#keepName());
    byId('chat-rename').addEventListener('click', () => this.#nameAsked(this.#naming.hidden));
    byId('chat-reply-cancel').addEventListener('click', () => this.reply(undefined));
  }

  speak(locale: Locale): void {
    this.#locale = locale;
    this.#text.placeholder = sayChat(locale, 'chat_placeholder');
    this.#text.setAttribute('aria-label', sayChat(locale, 'chat_message'));
    this.#send.setAttribute('aria-label', sayChat(locale, 'chat_send'));
    byId('chat-reply-cancel').setAttribute('aria-label', sayChat(locale, 'chat_reply_cancel'));
    this.#note.textContent = this.#noted();
    this.reply(this.#replyTo, false);
    this.show();
  }

  onLink(state: LinkState): void {
    this.#link = state;
    this.show();
  }

  /** The room is there again: was the message said whose answer was lost? */
  onWelcome(): void {
    const unsure = this.#unsure;
    this.#unsure = undefined;
    if (unsure && this.room.saidSince(unsure.since, unsure.text)) this.#clear(unsure.text);
    else if (unsure) this.#say(() => sayChat(this.#locale, 'chat_lost'));
    this.show();
  }

  /** The next message answers this one. */
  reply(message: Message | undefined, focus = true): void {
    this.#replyTo = message;
    byId('chat-replying').hidden = message === undefined;
    if (message) {
      const quoted = byId('chat-quoted');
      quoted.textContent = `${sayChat(this.#locale, 'chat_replying', { name: message.author.name })} · ${message.text}`;
    }
    if (focus) this.#text.focus();
  }

  /** Brings everything that depends on room, connection and time up to date. */
  show(): void {
    const barred = this.#barred();
    this.#text.disabled = barred !== undefined;
    const { rules } = this.room;
    const viewer = this.room.you?.role === 'viewer';
    let rule = barred;
    if (rule === undefined && viewer && rules.emoji_only) rule = sayChat(this.#locale, 'chat_emoji_only');
    else if (rule === undefined && viewer && rules.slow_mode_s > 0) {
      rule = sayChat(this.#locale, 'chat_slow', { wait: sayWait(this.#locale, rules.slow_mode_s * 1000) });
    }
    this.#rule.hidden = rule === undefined;
    if (this.#rule.textContent !== (rule ?? '')) this.#rule.textContent = rule ?? '';
    const length = lengthOf(this.#text.value);
    this.#left.textContent = length < COUNTED_FROM ? '' : this.#sayLeft(MOST - length);
    this.#left.classList.toggle('over', length > MOST);
    this.#send.disabled = barred !== undefined || this.#link.is !== 'open' || this.#sending || length === 0 || length > MOST;
    const { you } = this.room;
    // A moderator's name is what the host called them.
    byId('chat-as').hidden = !you || you.role === 'moderator' || !this.#naming.hidden || barred !== undefined;
    if (you) byId('chat-as-name').textContent = say(this.#locale, 'watch_chat_as', { name: you.name });
    this.#grow();
    clearTimeout(this.#tick);
    if (this.room.restrictionAt()?.until_ms !== undefined) this.#tick = setTimeout(() => this.show(), 1000);
  }

  /** Why nothing can be written now. */
  #barred(): string | undefined {
    const now = this.room.clock.now();
    const restriction = this.room.restrictionAt(now);
    if (restriction) {
      if (restriction.until_ms === undefined) return sayChat(this.#locale, 'chat_banned');
      return sayChat(this.#locale, 'chat_timed_out', { wait: sayWait(this.#locale, restriction.until_ms - now) });
    }
    if (this.room.rules.locked && this.room.you?.role === 'viewer') return sayChat(this.#locale, 'chat_locked');
    return undefined;
  }

  #sayLeft(left: number): string {
    return left >= 0 ? sayCount(this.#locale, 'left', left) : sayCount(this.#locale, 'over', -left);
  }

  async #submit(): Promise<void> {
    const text = this.#text.value;
    if (this.#send.disabled) return;
    // Hosts and moderators come with the name that they were given.
    if (!this.#named && this.room.you?.role === 'viewer') {
      this.#nameAsked(true);
      return;
    }
    this.#sending = true;
    this.show();
    const since = this.room.messages[this.room.messages.length - 1]?.seq ?? 0;
    const reply = this.#replyTo === undefined ? {} : { reply_to: this.#replyTo.seq };
    const answer = await this.client.ask({ type: 'say', text, ...reply });
    this.#sending = false;
    this.#answered(answer, text, since);
    this.show();
  }

  #answered(answer: Answer, text: string, since: number): void {
    if (answer.type === 'done') {
      this.#clear(text);
      this.#say(() => (answer.result === 'held' ? sayChat(this.#locale, 'chat_held') : ''));
      this.onSent();
    } else if (answer.type === 'refused') {
      this.#say(() => sayRefused(this.#locale, answer));
    } else {
      // It may have been said: what comes with the next connection will tell.
      this.#unsure = { text, since };
    }
  }

  /** The message is out; what was typed since stays. */
  #clear(sent: string): void {
    if (this.#text.value === sent) this.#text.value = '';
    this.reply(undefined, false);
    this.#say(() => '');
  }

  #nameAsked(asked: boolean): void {
    this.#naming.hidden = !asked;
    if (asked) {
      this.#name.value = rememberedName() ?? '';
      this.#name.placeholder = this.room.you?.name ?? '';
      this.#name.focus();
    } else {
      this.#text.focus();
    }
    this.show();
  }

  async #keepName(): Promise<void> {
    const wanted = this.#name.value.trim() || this.room.you?.name || '';
    const answer = await this.client.ask({ type: 'rename', name: wanted });
    if (answer.type === 'refused') {
      this.#say(() => (answer.code === 'out_of_range' ? say(this.#locale, 'watch_chat_name_bad') : sayRefused(this.#locale, answer)));
      return;
    }
    if (answer.type !== 'done' || answer.result !== 'renamed') return;
    this.#named = true;
    rememberName(answer.name);
    rememberToken(this.name, answer.token);
    this.client.identify(answer.token);
    if (this.room.you) this.room.you = { ...this.room.you, name: answer.name, token: answer.token };
    this.#say(() => '');
    this.#nameAsked(false);
    if (this.#text.value.trim() !== '') await this.#submit();
  }

  #say(noted: () => string): void {
    this.#noted = noted;
    const text = noted();
    if (this.#note.textContent !== text) this.#note.textContent = text;
  }

  /** As tall as its words, up to what the style sheet allows. */
  #grow(): void {
    this.#text.style.height = 'auto';
    this.#text.style.height = `${this.#text.scrollHeight}px`;
  }
}
