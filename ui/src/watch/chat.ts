/** The chat of the viewer page. Whatever fails here, the picture beside it goes on. */
import { ChatClient } from '../chat/client';
import type { LinkState } from '../chat/link';
import { ChatRoom } from '../chat/room';
import { sayChat, sayRefused } from '../chat/says';
import type { Event } from '../lib/protocol/chat';
import { Composer } from './chat-composer';
import { ChatLog, words } from './chat-log';
import { Together, aboutTogether } from './engage/together';
import { rememberToken, rememberedName, rememberedToken } from './chat-memory';
import { Parts } from './parts';
import { Products } from './products';
import { Tips } from './tips';
import { say, type Locale } from './words';

/** A connection that is back within this time was not worth a word. */
const WORTH_SAYING_MS = 1500;
/** A window that loses more than this of its height has a keyboard in front of it, in pixels. */
const KEYBOARD_PX = 120;

export interface Chat {
  speak(locale: Locale): void;
  /** With this ticket, from now on. */
  admit(pass: string): void;
}

/** Puts the chat of a room on the page. */
export function startChat(name: string, locale: Locale, pass: string | undefined, onNoTicket: () => void): Chat {
  const byId = (id: string) => {
    const found = document.getElementById(id);
    if (!found) throw new Error(`the page has no #${id}`);
    return found;
  };
  const page = byId('page');
  const state = byId('chat-state');
  const toggle = byId('chat-toggle');
  const room = new ChatRoom();
  let spoken = locale;
  let link: LinkState = { is: 'idle' };
  let late: ReturnType<typeof setTimeout> | undefined;

  const known: { token?: string; name?: string } = {};
  const [token, chosen] = [rememberedToken(name), rememberedName()];
  if (token !== undefined) known.token = token;
  if (chosen !== undefined) known.name = chosen;
  const client = new ChatClient({
    room: name,
    ...known,
    ...(pass === undefined ? {} : { pass }),
    forgets: true,
    onForget: () => rememberToken(name, undefined),
    onWelcome: (welcome) => {
      const missed = room.welcome(welcome);
      rememberToken(name, welcome.you.token);
      log.show(missed);
      showRoom();
      products.show(welcome.snapshot === undefined);
      tips.show();
      together.welcome();
      composer.onWelcome();
    },
    onEvents: (events) => {
      log.show(room.apply(events));
      showRoom();
      if (events.some(aboutProducts)) products.show();
      tips.happened(events);
      if (events.some(aboutTogether)) together.show();
      composer.show();
    },
    onPulse: (pulse) => {
      room.pulse(pulse);
      together.pulse();
    },
    onState: (next) => {
      if (next.is === link.is) return;
      link = next;
      if (next.is === 'turned_away' && next.why.code === 'ticket') onNoTicket();
      composer.onLink(next);
      showState();
    },
  });
  const tips = new Tips(name, room);
  const parts = new Parts(byId('chat-tabs'));
  parts.add({ tab: byId('tab-talk'), panel: byId('chat-talk'), onOpen: () => log.toEnd() });
  const together = new Together(name, room, client, parts);
  const products = new Products(name, room, client, parts);
  const composer = new Composer(name, room, client, () => log.toEnd());
  const log = new ChatLog(
    room,
    byId('chat-log'),
    byId('chat-new') as HTMLButtonElement,
    byId('chat-new-text'),
    byId('chat-count'),
    (message) => composer.reply(message),
  );

  function showRoom(): void {
    const { pinned } = room;
    byId('chat-pin').hidden = pinned === undefined;
    byId('chat-quiet').hidden = link.is === 'connecting' || room.messages.length > 0 || room.you === undefined;
    if (!pinned) return;
    byId('chat-pin-by').textContent = sayChat(spoken, 'chat_pinned_by', { name: pinned.by });
    byId('chat-pin-text').replaceChildren(...words(pinned.message.text));
  }

  function showState(): void {
    if (link.is === 'open') {
      clearTimeout(late);
      late = undefined;
      state.textContent = '';
    } else if (link.is === 'turned_away') {
      clearTimeout(late);
      late = undefined;
      state.textContent = sayRefused(spoken, link.why);
    } else if (link.is === 'waiting' && link.why) {
      clearTimeout(late);
      late = undefined;
      state.textContent = sayRefused(spoken, link.why);
    } else if (late === undefined) {
      late = setTimeout(() => {
        state.textContent = sayChat(spoken, room.you ? 'chat_reconnecting' : 'chat_connecting');
      }, WORTH_SAYING_MS);
    }
  }

  function open(opened: boolean): void {
    page.dataset.chat = opened ? 'open' : 'closed';
    toggle.setAttribute('aria-expanded', String(opened));
    const text = say(spoken, opened ? 'watch_chat_close' : 'watch_chat_open');
    toggle.setAttribute('aria-label', text);
    toggle.title = text;
    if (opened) log.toEnd();
  }

  function speak(next: Locale): void {
    spoken = next;
    log.speak(next);
    composer.speak(next);
    products.speak(next);
    together.speak(next);
    tips.speak(next);
    showRoom();
    showState();
    open(page.dataset.chat === 'open');
  }

  toggle.addEventListener('click', () => open(page.dataset.chat !== 'open'));
  followKeyboard(page);
  speak(locale);
  client.start();
  return { speak, admit: (pass) => client.admit(pass) };
}

/** Whether an event changes what is on show or in the list; a flood of messages leaves the cards in peace. */
function aboutProducts({ kind }: Event): boolean {
  return kind === 'listed' || kind === 'product_changed' || kind === 'featured';
}

/** A phone's keyboard covers the page instead of making it smaller: the page then takes what can be seen. */
function followKeyboard(page: HTMLElement): void {
  const seen = window.visualViewport;
  if (!seen) return;
  const follow = () => {
    const covered = window.innerHeight - seen.height > KEYBOARD_PX && seen.scale === 1;
    page.classList.toggle('keyboard', covered || (document.activeElement?.id === 'chat-text' && seen.height < 500 && seen.width < 500));
    page.style.setProperty('--seen', covered ? `${seen.height}px` : '100dvh');
    page.style.setProperty('--seen-top', covered ? `${seen.offsetTop}px` : '0px');
  };
  seen.addEventListener('resize', follow);
  seen.addEventListener('scroll', follow);
  document.addEventListener('focusin', follow);
  document.addEventListener('focusout', follow);
  follow();
}
