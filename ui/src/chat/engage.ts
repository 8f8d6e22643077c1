/** What a room does together, as a page knows it: taken in event by event, and told anew to whoever comes back. */
import type { Engaged, Engagement, Poll, Pulse, Question, Reaction } from '../lib/protocol/chat';

/** Emoji in the order in which they are offered; their names stand in the catalogue. */
export const REACTIONS: readonly [Reaction, string][] = [
  ['heart', '❤️'],
  ['thumb', '👍'],
  ['clap', '👏'],
  ['laugh', '😂'],
  ['wow', '😮'],
  ['fire', '🔥'],
];

/** A room in which nothing goes on. */
export function nothing(): Engagement {
  return { questions_open: false, questions: [], reactions: [], mine: { supported: [] } };
}

/** Something has changed. */
export function engaged(state: Engagement, what: Engaged): Engagement {
  switch (what.is) {
    case 'poll': {
      const { vote, ...mine } = state.mine;
      const same = what.poll !== undefined && what.poll.id === state.poll?.id;
      return { ...without(state, 'poll'), ...(what.poll && { poll: what.poll }), mine: same && vote !== undefined ? { ...mine, vote } : mine };
    }
    case 'questions':
      return { ...state, questions_open: what.open };
    case 'question': {
      const others = state.questions.filter((one) => one.id !== what.question.id);
      return { ...state, questions: [...others, what.question].sort((a, b) => a.id - b.id) };
    }
    case 'question_gone':
      return { ...state, questions: state.questions.filter((one) => one.id !== what.question) };
    case 'giveaway': {
      const { entry, ...mine } = state.mine;
      const same = what.giveaway !== undefined && what.giveaway.id === state.giveaway?.id;
      const giveaway = what.giveaway && { giveaway: what.giveaway };
      return { ...without(state, 'giveaway'), ...giveaway, mine: same && entry !== undefined ? { ...mine, entry } : mine };
    }
    case 'raid':
      return { ...without(state, 'raid'), ...(what.raid && { raid: what.raid }) };
  }
}

/** What viewers did in the last second. It may speak of what is over or gone already: that is passed over. */
export function pulsed(state: Engagement, pulse: Pulse): Engagement {
  let next = state;
  const { poll, giveaway } = state;
  if (poll?.open && pulse.poll?.id === poll.id) next = { ...next, poll: { ...poll, votes: pulse.poll.votes } };
  if (giveaway?.state.is === 'open' && pulse.giveaway?.id === giveaway.id) {
    next = { ...next, giveaway: { ...giveaway, entries: pulse.giveaway.entries } };
  }
  if (pulse.questions.length > 0) {
    const votes = new Map(pulse.questions.map((one) => [one.id, one.votes]));
    next = { ...next, questions: state.questions.map((one) => ({ ...one, votes: votes.get(one.id) ?? one.votes })) };
  }
  if (pulse.reactions.length > 0) {
    const totals = new Map(next.reactions.map((one) => [one.reaction, one.total]));
    for (const one of pulse.reactions) totals.set(one.reaction, one.total);
    next = { ...next, reactions: [...totals].map(([reaction, total]) => ({ reaction, total })) };
  }
  return next;
}

/** This page's person has chosen an answer. */
export function voted(state: Engagement, poll: number, vote: number): Engagement {
  return state.poll?.id === poll ? { ...state, mine: { ...state.mine, vote } } : state;
}

/** This page's person wants a question answered. */
export function supported(state: Engagement, question: number): Engagement {
  const others = state.mine.supported.filter((one) => one !== question);
  return { ...state, mine: { ...state.mine, supported: [...others, question] } };
}

/** This page's person takes part in the giveaway. */
export function entered(state: Engagement, giveaway: number, entry: string): Engagement {
  return state.giveaway?.id === giveaway ? { ...state, mine: { ...state.mine, entry } } : state;
}

/** Questions as they are read: the one that is being answered, what waits, the most wanted, what was answered last. */
export function ranked(questions: readonly Question[]): Question[] {
  const place = { answering: 0, waiting: 1, open: 2, answered: 3 };
  return [...questions].sort(
    (a, b) =>
      place[a.state] - place[b.state] ||
      (a.state === 'answered' ? b.id - a.id : a.state === 'waiting' ? a.id - b.id : b.votes - a.votes || a.id - b.id),
  );
}

/** How many voted, and what part of them chose each answer, 0 to 1. */
export function shares(poll: Poll): { total: number; parts: number[]; best: number[] } {
  const total = poll.votes.reduce((sum, votes) => sum + votes, 0);
  const most = Math.max(...poll.votes);
  const best = total === 0 ? [] : poll.votes.flatMap((votes, at) => (votes === most ? [at] : []));
  return { total, parts: poll.votes.map((votes) => (total === 0 ? 0 : votes / total)), best };
}

function without<K extends keyof Engagement>(state: Engagement, key: K): Omit<Engagement, K> {
  const { [key]: _gone, ...rest } = state;
  return rest;
}
