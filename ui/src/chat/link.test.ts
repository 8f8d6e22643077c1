import { describe, expect, it } from 'vitest';
import { ChatLink, waitBefore, type Effect, type LinkOptions } from './link';
import type { ToClient, You } from '../lib/protocol/chat';

const you: You = { id: 'a', name: 'Ada', role: 'viewer', token: 'signed' };
const rules = { slow_mode_s: 0, hold_links: true, emoji_only: false, locked: false, blocked_words: [], hold_blocked: true, keep_days: 30 };
const snapshot = { messages: [], rules, held: [], restrictions: [], moderators: [], products: [], featured: [],
  money: { test: false, tips: [] } };
const welcome = (seq: number, events: { seq: number; kind: 'cleared' }[] = []): ToClient => ({ type: 'welcome', version: 1, now_ms: 0, you, seq, events });
const cleared = (seq: number) => ({ seq, kind: 'cleared' as const });

function link(options: Partial<LinkOptions> = {}) {
  return new ChatLink({ forgets: true, random: () => 1, ...options });
}
function opened(options: Partial<LinkOptions> = {}, seq = 5) {
  const made = link(options);
  made.start(0);
  made.opened(10);
  made.heard({ ...welcome(seq), snapshot } as ToClient, 20);
  return made;
}
const kinds = (effects: Effect[]) => effects.map((effect) => effect.do);

describe('the way in', () => {
  it('says hello with what it knows', () => {
    const made = link({ token: 't', name: 'Ada' });
    expect(made.start(0)).toEqual([{ do: 'open' }]);
    expect(made.opened(10)).toEqual([{ do: 'send', message: { type: 'hello', version: 1, token: 't', name: 'Ada' } }]);
  });

  it('comes back as who it was, with the last number that it saw', () => {
    const made = opened();
    made.heard({ type: 'events', events: [cleared(6), cleared(9)] }, 30);
    made.closed(100);
    made.wake(600);
    expect(made.opened(610)).toEqual([{ do: 'send', message: { type: 'hello', version: 1, token: 'signed', last_seq: 9 } }]);
  });

  it('leaves a server that does not answer', () => {
    const made = link();
    made.start(0);
    made.opened(10);
    expect(made.wakeAt).toBe(10_010);
    expect(kinds(made.wake(10_010))).toEqual(['close']);
    expect(made.state.is).toBe('waiting');
  });
});

describe('coming back', () => {
  it('waits twice as long each time up to the cap, and begins anew after a welcome', () => {
    const made = link();
    made.start(0);
    const waits: number[] = [];
    let now = 0;
    for (let i = 0; i < 7; i++) {
      made.closed(now);
      waits.push(made.wakeAt! - now);
      now = made.wakeAt!;
      expect(made.wake(now)).toEqual([{ do: 'open' }]);
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 10_000, 10_000, 10_000]);
    made.opened(now);
    made.heard(welcome(1), now);
    made.closed(now);
    expect(made.wakeAt! - now).toBe(500);
  });

  it('spreads the tries of many pages', () => {
    expect([waitBefore(1, 0), waitBefore(1, 1), waitBefore(9, 0), waitBefore(99, 1)]).toEqual([250, 500, 5000, 10_000]);
  });

  it('tries at once when the network is back', () => {
    const made = opened();
    made.closed(0);
    expect(made.start(1)).toEqual([{ do: 'open' }]);
    expect(made.start(2), 'one try at a time').toEqual([]);
  });
});

describe('events', () => {
  it('are taken once each', () => {
    const made = opened();
    const first = made.heard({ type: 'events', events: [cleared(5), cleared(6)] }, 30);
    expect(first).toEqual([{ do: 'events', events: [cleared(6)] }]);
    expect(made.heard({ type: 'events', events: [cleared(6)] }, 40)).toEqual([]);
  });

  it('that were missed come with the welcome, without those that were seen', () => {
    const made = opened();
    made.closed(0);
    made.wake(500);
    made.opened(510);
    const effects = made.heard(welcome(8, [cleared(5), cleared(8)]), 520);
    expect(effects).toEqual([{ do: 'welcome', welcome: welcome(8, [cleared(8)]) }]);
    expect(made.seq).toBe(8);
  });

  it('begin anew with a snapshot, also when the numbers went back', () => {
    const made = opened({}, 500);
    made.closed(0);
    made.wake(500);
    made.opened(510);
    made.heard({ ...welcome(3), snapshot } as ToClient, 520);
    expect(made.seq).toBe(3);
  });
});

describe('requests', () => {
  it('are numbered and answered once', () => {
    const made = opened();
    const asked = made.ask({ type: 'say', text: 'hello' }, 100)!;
    expect(asked.effects).toEqual([{ do: 'send', message: { type: 'say', text: 'hello', id: asked.id } }]);
    const done: ToClient = { type: 'done', id: asked.id, result: 'said', seq: 6 };
    expect(made.heard(done, 110)).toEqual([{ do: 'answer', id: asked.id, answer: done }]);
    expect(made.heard(done, 120)).toEqual([]);
  });

  it('are lost with the connection, and when no answer comes', () => {
    const made = opened();
    const { id } = made.ask({ type: 'say', text: 'hello' }, 100)!;
    expect(made.closed(200)).toEqual([{ do: 'answer', id, answer: { type: 'lost' } }]);
    expect(made.ask({ type: 'say', text: 'hello' }, 300), 'no connection').toBeUndefined();

    const other = opened();
    other.ask({ type: 'say', text: 'hello' }, 100);
    expect(kinds(other.wake(other.wakeAt!))).toEqual(['close', 'answer']);
  });
});

describe('a refusal at the door', () => {
  it('makes a viewer somebody new', () => {
    const made = link({ token: 'old' });
    made.start(0);
    made.opened(1);
    expect(kinds(made.heard({ type: 'refused', code: 'token' }, 2))).toEqual(['forget_token', 'close']);
    made.wake(made.wakeAt!);
    expect(made.opened(600)).toEqual([{ do: 'send', message: { type: 'hello', version: 1 } }]);
  });

  it('is the end for a moderator, and for a page of another version', () => {
    for (const why of [{ code: 'token' as const }, { code: 'version' as const, wanted: 2 }]) {
      const made = link({ token: 'old', forgets: false });
      made.start(0);
      made.opened(1);
      made.heard({ type: 'refused', ...why }, 2);
      expect(made.state.is).toBe('turned_away');
      expect(made.closed(3)).toEqual([]);
      expect(made.wakeAt).toBeUndefined();
    }
  });

  it('is tried again when the server said to, and not before', () => {
    const made = link();
    made.start(0);
    made.opened(1);
    expect(kinds(made.heard({ type: 'refused', code: 'crowded', retry_after_ms: 30_000 }, 2))).toEqual(['close']);
    expect(made.state).toMatchObject({ is: 'waiting', why: { code: 'crowded' } });
    expect(made.wakeAt, 'half as long again, at the worst').toBe(45_002);
    expect(made.closed(3), 'the socket that was closed').toEqual([]);
    expect(made.wake(30_000)).toEqual([]);
    expect(made.wake(45_002)).toEqual([{ do: 'open' }]);
  });

  it('never comes sooner than an ordinary lost connection', () => {
    const made = link();
    made.start(0);
    made.opened(1);
    made.heard({ type: 'refused', code: 'crowded', retry_after_ms: 1 }, 2);
    expect(made.wakeAt).toBe(1002);
  });

  it('is tried again when the server had no room', () => {
    const made = link();
    made.start(0);
    made.opened(1);
    made.heard({ type: 'refused', code: 'unavailable' }, 2);
    expect(made.state.is).toBe('waiting');
  });
});

it('the crew hears of clicks, which have no number', () => {
  const made = opened();
  const products = [{ product: 'a', opened: 2, carted: 1 }];
  expect(made.heard({ type: 'interest', products }, 30)).toEqual([{ do: 'interest', products }]);
  expect(made.seq, 'a click is no event').toBe(5);
});

describe('a ticket', () => {
  const refused = (why: { code: 'ticket' } | { code: 'devices'; most: number }) => {
    const made = link();
    made.start(0);
    made.opened(1);
    made.heard({ type: 'refused', ...why }, 2);
    return made;
  };

  it('is waited for without a try, and brings the page in at once', () => {
    const made = refused({ code: 'ticket' });
    expect([made.state.is, made.wakeAt]).toEqual(['turned_away', undefined]);
    expect(made.admit('pass', 90_000)).toEqual([{ do: 'open' }]);
    expect(made.opened(90_001)).toEqual([{ do: 'send', message: { type: 'hello', version: 1, pass: 'pass' } }]);
  });

  it('that comes while the door is being knocked at counts at the next knock', () => {
    const made = link();
    made.start(0);
    made.opened(1);
    expect(made.admit('pass', 2)).toEqual([]);
    made.heard({ type: 'refused', code: 'ticket' }, 3);
    expect(made.state.is).toBe('waiting');
    expect(made.wake(made.wakeAt ?? 0)).toEqual([{ do: 'open' }]);
    expect(made.opened(2000)).toMatchObject([{ message: { pass: 'pass' } }]);
  });

  it('that plays elsewhere is tried again by itself', () => {
    const made = refused({ code: 'devices', most: 2 });
    expect(made.state).toMatchObject({ is: 'waiting', why: { code: 'devices' } });
    expect(made.wakeAt, 'half as long again, at the worst').toBe(7502);
  });

  it('changes nothing for a page that is in', () => {
    const made = opened();
    expect(made.admit('pass', 30)).toEqual([]);
    expect(made.state.is).toBe('open');
  });
});
