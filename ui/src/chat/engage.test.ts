import { describe, expect, it } from 'vitest';
import type { Giveaway, Poll, Question } from '../lib/protocol/chat';
import { engaged, entered, nothing, pulsed, ranked, shares, supported, voted } from './engage';

const poll = (part: Partial<Poll> = {}): Poll => ({ id: 7, question: '?', options: ['a', 'b'], votes: [0, 0], open: true, ...part });
const question = (id: number, part: Partial<Question> = {}): Question => ({
  id,
  at_ms: 0,
  by: { id: 'a', name: 'Ada', role: 'viewer' },
  text: `question ${id}`,
  votes: 1,
  state: 'open',
  ...part,
});
const giveaway = (part: Partial<Giveaway> = {}): Giveaway => ({
  id: 9,
  prize: 'vinyl',
  winners: 1,
  commitment: 'c',
  entries: 0,
  state: { is: 'open' },
  ...part,
});
const empty = { questions: [], reactions: [] };

describe('a poll', () => {
  it('keeps one’s own vote until there is another one', () => {
    let state = voted(engaged(nothing(), { is: 'poll', poll: poll() }), 7, 1);
    state = engaged(state, { is: 'poll', poll: poll({ open: false, votes: [0, 1] }) });
    expect(state.mine.vote).toBe(1);
    state = engaged(state, { is: 'poll', poll: poll({ id: 8 }) });
    expect(state.mine.vote).toBeUndefined();
    expect(voted(state, 7, 0), 'an answer that comes late').toBe(state);
    expect(engaged(state, { is: 'poll' }).poll).toBeUndefined();
  });
  it('takes votes while it is open, and no others', () => {
    const open = engaged(nothing(), { is: 'poll', poll: poll() });
    expect(pulsed(open, { ...empty, poll: { id: 7, votes: [2, 1] } }).poll?.votes).toEqual([2, 1]);
    expect(pulsed(open, { ...empty, poll: { id: 6, votes: [9, 9] } }).poll?.votes).toEqual([0, 0]);
    const over = engaged(open, { is: 'poll', poll: poll({ open: false, votes: [3, 1] }) });
    expect(pulsed(over, { ...empty, poll: { id: 7, votes: [2, 1] } }).poll?.votes, 'from before its end').toEqual([3, 1]);
  });
  it('has shares, also while nobody has voted', () => {
    expect(shares(poll())).toEqual({ total: 0, parts: [0, 0], best: [] });
    expect(shares(poll({ votes: [3, 1] }))).toEqual({ total: 4, parts: [0.75, 0.25], best: [0] });
    expect(shares(poll({ votes: [2, 2] })).best).toEqual([0, 1]);
  });
});

describe('questions', () => {
  it('stand in the order in which they are read', () => {
    const list = [
      question(1, { votes: 3 }),
      question(2, { state: 'answered' }),
      question(3, { votes: 8 }),
      question(4, { state: 'answering' }),
      question(5, { state: 'waiting' }),
      question(6, { votes: 8 }),
      question(7, { state: 'answered' }),
    ];
    expect(ranked(list).map((one) => one.id)).toEqual([4, 5, 3, 6, 1, 7, 2]);
  });
  it('come, change, get votes and go', () => {
    let state = engaged(nothing(), { is: 'question', question: question(2) });
    state = engaged(state, { is: 'question', question: question(1) });
    state = engaged(state, { is: 'question', question: question(2, { state: 'answering' }) });
    state = pulsed(state, { ...empty, questions: [{ id: 1, votes: 5 }, { id: 99, votes: 1 }] });
    expect(state.questions.map((one) => [one.id, one.state, one.votes])).toEqual([
      [1, 'open', 5],
      [2, 'answering', 1],
    ]);
    expect(supported(supported(state, 1), 1).mine.supported).toEqual([1]);
    expect(engaged(state, { is: 'question_gone', question: 1 }).questions.map((one) => one.id)).toEqual([2]);
  });
});

describe('a giveaway', () => {
  it('keeps one’s own entry to the end', () => {
    let state = entered(engaged(nothing(), { is: 'giveaway', giveaway: giveaway() }), 9, 'mine');
    state = pulsed(state, { ...empty, giveaway: { id: 9, entries: 4 } });
    expect(state.giveaway?.entries).toBe(4);
    const drawn = giveaway({ entries: 4, state: { is: 'drawn', seed: 's', winners: [{ entry: 'mine', name: 'Ada' }] } });
    state = engaged(state, { is: 'giveaway', giveaway: drawn });
    expect(state.mine.entry).toBe('mine');
    expect(engaged(state, { is: 'giveaway', giveaway: giveaway({ id: 10 }) }).mine.entry).toBeUndefined();
  });
});

it('reactions are totals: the last word counts', () => {
  let state = pulsed(nothing(), { ...empty, reactions: [{ reaction: 'heart', total: 2 }] });
  state = pulsed(state, { ...empty, reactions: [{ reaction: 'heart', total: 5 }, { reaction: 'fire', total: 1 }] });
  expect(state.reactions).toEqual([
    { reaction: 'heart', total: 5 },
    { reaction: 'fire', total: 1 },
  ]);
});
