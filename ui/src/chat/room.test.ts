import { beforeEach, describe, expect, it } from 'vitest';
import type { Entry, Event, Message, Product, Role } from '../lib/protocol/chat';
import { ChatRoom } from './room';

const message = (seq: number, by = 'a', text = `message ${seq}`): Message => ({
  seq,
  at_ms: 1000 * seq,
  author: { id: by, name: by.toUpperCase(), role: 'viewer' },
  text,
});
const said = (seq: number, by = 'a', text?: string): Event => ({ seq, kind: 'said', message: message(seq, by, text) });
const rules = { slow_mode_s: 0, hold_links: true, emoji_only: false, locked: false, blocked_words: [], hold_blocked: true, keep_days: 30 };
const entry = (number: number, act: Entry['act'], undoable = true): Entry => ({
  number,
  at_ms: 0,
  by: { id: 'me', name: 'Me', role: 'host' },
  act,
  undoable,
});

function room(role: Role = 'viewer', messages: Message[] = []) {
  const made = new ChatRoom(5);
  const you = { id: 'me', name: 'Me', role, token: 't' };
  const snapshot = { messages, rules, held: [], restrictions: [], moderators: [], products: [], featured: [], money: { test: false, tips: [] } };
  made.welcome({ type: 'welcome', version: 1, now_ms: 0, you, seq: 0, snapshot, events: [] });
  return made;
}
const seqs = (made: ChatRoom) => made.messages.map((one) => one.seq);

describe('messages', () => {
  let made: ChatRoom;
  beforeEach(() => {
    made = room('viewer', [message(1), message(2, 'b'), message(3)]);
  });

  it('come in order and only the newest are kept', () => {
    expect(made.apply([said(4), said(5), said(6)]).map((one) => one.seq)).toEqual([4, 5, 6]);
    expect(seqs(made)).toEqual([2, 3, 4, 5, 6]);
  });

  it('go one by one, all of a member, and all', () => {
    made.apply([{ seq: 7, kind: 'deleted', messages: [2] }]);
    expect(seqs(made)).toEqual([1, 3]);
    made.apply([said(8, 'b'), { seq: 9, kind: 'all_deleted', member: 'a' }]);
    expect(seqs(made)).toEqual([8]);
    made.apply([{ seq: 10, kind: 'cleared' }]);
    expect(seqs(made)).toEqual([]);
  });

  it('come back in their places', () => {
    made.apply([{ seq: 7, kind: 'deleted', messages: [1, 2] }, said(8)]);
    made.apply([{ seq: 9, kind: 'restored', messages: [message(2), message(1)] }]);
    expect(seqs(made)).toEqual([1, 2, 3, 8]);
  });

  it('said and deleted in one go are not told as new', () => {
    expect(made.apply([said(8), { seq: 9, kind: 'deleted', messages: [8] }])).toEqual([]);
  });

  it('from before stand in front until nobody reads them', () => {
    made.apply([said(10), said(11)]);
    made.prepend([message(-2), message(-1), message(1)]);
    expect(seqs(made)).toEqual([-2, -1, 1, 2, 3, 10, 11]);
    made.forgetOlder();
    expect(seqs(made)).toEqual([1, 2, 3, 10, 11]);
  });

  it('for this person are those with their name and answers to them', () => {
    made.apply([said(4, 'me')]);
    const mention = { ...message(5), mentions: ['me'] };
    const answer = { ...message(6), reply: { message: 4, name: 'Me', text: '' } };
    expect([mention, answer, message(7), message(4, 'me')].map((one) => made.isForYou(one))).toEqual([true, true, false, false]);
  });

  it('whose answer was lost are found by their words', () => {
    made.apply([said(8, 'me', 'one more')]);
    expect(made.saidSince(3, ' one  more ')).toBe(true);
    expect(made.saidSince(8, 'one more'), 'an earlier one').toBe(false);
    expect(made.saidSince(3, 'another')).toBe(false);
  });
});

describe('a person who may not speak', () => {
  it('may again when the time is over or it is lifted', () => {
    const made = room();
    made.apply([{ seq: 1, kind: 'restricted', restriction: { member: 'me', name: 'Me', until_ms: 5000 } }]);
    expect(made.restrictionAt(4999)).toBeDefined();
    expect(made.restrictionAt(5000)).toBeUndefined();
    made.apply([{ seq: 2, kind: 'restricted', restriction: { member: 'me', name: 'Me' } }]);
    expect(made.restrictionAt(1e15)).toBeDefined();
    made.apply([{ seq: 3, kind: 'lifted', member: 'me' }]);
    expect(made.restrictionAt(0)).toBeUndefined();
    expect(made.restrictions, 'the list is the moderators\'').toEqual([]);
  });
});

describe('products', () => {
  const product = (id: string, title = id): Product => ({ id, title, stock: { is: 'in_stock' } });

  it('come as a list, change one by one and are shown in their order', () => {
    const made = room();
    made.apply([
      { seq: 1, kind: 'listed', products: [product('a'), product('b'), product('c')], featured: [] },
      { seq: 2, kind: 'featured', products: ['c', 'a'], by: 'Maya' },
      { seq: 3, kind: 'product_changed', product: product('a', 'A newer one') },
      { seq: 4, kind: 'product_changed', product: product('z') },
    ]);
    expect(made.products.map((one) => one.title)).toEqual(['A newer one', 'b', 'c']);
    expect(made.shown.map((one) => one.id)).toEqual(['c', 'a']);
    made.apply([{ seq: 5, kind: 'listed', products: [product('c')], featured: ['c'] }]);
    expect(made.shown.map((one) => one.id)).toEqual(['c']);
  });

  it('and time-outs go by the server’s clock', () => {
    const made = room();
    made.apply([{ seq: 1, kind: 'restricted', restriction: { member: 'me', name: 'Me', until_ms: 60_000 } }]);
    // The welcome said that the server's clock stands at 0: the visitor's own is fifty years ahead.
    expect(made.restrictionAt()).toBeDefined();
    const late = room();
    late.clock.set(60_000);
    late.apply([{ seq: 1, kind: 'restricted', restriction: { member: 'me', name: 'Me', until_ms: 60_000 } }]);
    expect(late.restrictionAt()).toBeUndefined();
  });
});

describe('moderators', () => {
  it('see what waits, who is restricted and who else keeps order', () => {
    const made = room('host');
    made.apply([
      { seq: 1, kind: 'held', held: { message: message(1), why: 'link' } },
      { seq: 2, kind: 'held', held: { message: message(2), why: 'word' } },
      { seq: 3, kind: 'decided', message: 1 },
      { seq: 4, kind: 'restricted', restriction: { member: 'z', name: 'Zoe' } },
      { seq: 5, kind: 'restricted', restriction: { member: 'b', name: 'Ben', until_ms: 9 } },
      { seq: 6, kind: 'invited', moderator: { member: 'i', name: 'Inès' } },
      { seq: 7, kind: 'invited', moderator: { member: 'j', name: 'Jo' } },
      { seq: 8, kind: 'uninvited', member: 'i' },
    ]);
    expect(made.held.map((held) => held.message.seq)).toEqual([2]);
    expect(made.restrictions.map((one) => one.name)).toEqual(['Ben', 'Zoe']);
    expect(made.moderators.map((one) => one.name)).toEqual(['Jo']);
  });

  it('see that an act was taken back, in whatever order they learn it', () => {
    const made = room('host');
    made.logged([entry(2, { do: 'undo', entry: 1 }, false)]);
    made.logged([entry(1, { do: 'clear' }), entry(0, { do: 'clear' })]);
    expect(made.entries.map(({ number, undoable }) => [number, undoable])).toEqual([
      [2, false],
      [1, false],
      [0, true],
    ]);
    made.apply([{ seq: 9, kind: 'logged', entry: entry(3, { do: 'undo', entry: 0 }, false) }]);
    expect(made.entries.at(-1)?.undoable).toBe(false);
  });
});

it('money is what the server last said of it, and the last fifty tips', () => {
  const made = room();
  const sum = { minor: 500, currency: 'EUR', digits: 2 };
  const goal = { label: 'A desk', target: { ...sum, minor: 5000 }, raised: 500 };
  made.apply([{ seq: 1, kind: 'money', what: { is: 'goal', goal } }, { seq: 2, kind: 'money', what: { is: 'priced', ticket: sum } }]);
  expect(made.money).toMatchObject({ goal, ticket: sum });
  made.apply([{ seq: 3, kind: 'money', what: { is: 'goal' } }, { seq: 4, kind: 'money', what: { is: 'priced' } }]);
  expect([made.money.goal, made.money.ticket]).toEqual([undefined, undefined]);
  for (let seq = 5; seq < 60; seq++) {
    made.apply([{ seq, kind: 'money', what: { is: 'tipped', tip: { seq, at_ms: 0, name: 'Ada', sum } } }]);
  }
  expect([made.money.tips.length, made.money.tips[0]?.seq, made.booked]).toEqual([50, 10, 0]);
});
