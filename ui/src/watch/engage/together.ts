/** What the room does together, on the viewer page: poll, giveaway, questions, reactions, and going on to another room. */
import type { ChatClient } from '../../chat/client';
import { entered, ranked, shares, supported, voted } from '../../chat/engage';
import { sayEngage, sayShare } from '../../chat/engage-words';
import type { Answer } from '../../chat/link';
import type { ChatRoom } from '../../chat/room';
import { sayChat, sayRefused } from '../../chat/says';
import type { Engagement, Event, Part as Taken, Question } from '../../lib/protocol/chat';
import type { Part, Parts } from '../parts';
import { figures, type Locale } from '../words';
import { byId, make, write } from './elements';
import { GiveawayCard } from './giveaway-card';
import { PollCard } from './poll-card';
import { QuestionsPanel } from './questions-panel';
import { RaidBox } from './raid';
import { Reactions } from './reactions';

/** Whether an event is about any of this. */
export const aboutTogether = ({ kind }: Event): boolean => kind === 'engaged';

export class Together {
  #cards = byId('together');
  #said = byId('engage-said');
  #count = byId('question-count');
  #poll = new PollCard((poll, option) => this.#vote(poll, option));
  #giveaway: GiveawayCard;
  #answering = make('p', 'card answering');
  #answeringKind = make('b');
  #answeringText = make('span');
  #questions: QuestionsPanel;
  #reactions = new Reactions(async (reaction) => (await this.#take({ do: 'react', reaction })).type === 'done');
  #raid: RaidBox;
  #part: Part;
  #locale: Locale = 'en';
  #tick: ReturnType<typeof setTimeout> | undefined;
  /** What was said aloud of last; nothing before the page is in the room. */
  #before: Engagement | undefined;

  constructor(
    name: string,
    private readonly room: ChatRoom,
    private readonly client: ChatClient,
    private readonly parts: Parts,
  ) {
    this.#giveaway = new GiveawayCard(name, (giveaway) => this.#enter(giveaway));
    this.#questions = new QuestionsPanel({
      onSupport: (question) => void this.#support(question),
      onAsk: (text) => this.#ask(text),
    });
    this.#raid = new RaidBox(
      () => room.clock.now(),
      (text) => write(byId('raid-said'), text),
    );
    this.#part = { tab: byId('tab-questions'), panel: byId('questions'), onOpen: () => this.show(false) };
    parts.add(this.#part);
    this.#answering.append(this.#answeringKind, ' ', this.#answeringText);
    for (const card of [this.#answering, this.#poll.element, this.#giveaway.element]) {
      card.hidden = true;
      this.#cards.append(card);
    }
  }

  speak(locale: Locale): void {
    this.#locale = locale;
    this.#cards.setAttribute('aria-label', sayEngage(locale, 'engage_part'));
    this.#reactions.speak(locale);
    this.show(false);
  }

  /** The page is in the room, or back in it. */
  welcome(): void {
    const back = this.#before !== undefined;
    this.#reactions.reset(this.room.engage.reactions);
    this.show(back);
  }

  /** What viewers did in the last second has been taken in. */
  pulse(): void {
    this.#reactions.show(this.room.engage.reactions);
    this.show();
  }

  /** Brings everything up to date; what is new is read out, unless the page is only just there. */
  show(aloud = true): void {
    const { engage: state } = this.room;
    const now = this.room.clock.now();
    const { poll, giveaway } = state;
    this.#poll.element.hidden = poll === undefined;
    const left = poll && this.#poll.show(poll, state.mine.vote, this.#locale, now);
    this.#giveaway.element.hidden = giveaway === undefined;
    if (giveaway) this.#giveaway.show(giveaway, state.mine.entry, this.#locale);
    const answering = ranked(state.questions).find((question) => question.state === 'answering');
    this.#answering.hidden = answering === undefined;
    write(this.#answeringKind, sayEngage(this.#locale, 'engage_question_now'));
    write(this.#answeringText, answering?.text ?? '');
    this.#cards.hidden = !poll && !giveaway && !answering;
    this.parts.offer(this.#part, state.questions_open || state.questions.length > 0);
    write(this.#count, figures(this.#locale, state.questions.filter((one) => one.state !== 'answered').length));
    this.#questions.show(state, this.#locale);
    this.#raid.show(state.raid, this.#locale, aloud);
    this.#tell(state, answering, aloud);
    clearTimeout(this.#tick);
    if (left !== undefined && left > 0) this.#tick = setTimeout(() => this.show(), Math.max(50, Math.min(1000 - (now % 1000), left)));
  }

  #tell(state: Engagement, answering: Question | undefined, aloud: boolean): void {
    const before = this.#before;
    this.#before = this.room.you === undefined ? undefined : state;
    if (!before || !aloud) return;
    const { poll, giveaway } = state;
    const say = (key: Parameters<typeof sayEngage>[1], blanks?: Record<string, string>) => write(this.#said, sayEngage(this.#locale, key, blanks));
    if (poll?.open && before.poll?.id !== poll.id) say('engage_poll_new', { question: poll.question });
    else if (poll && !poll.open && before.poll?.id === poll.id && before.poll.open) {
      const { parts, best } = shares(poll);
      const [first] = best;
      const option = first === undefined ? undefined : poll.options[first];
      const result =
        best.length !== 1 || option === undefined
          ? sayEngage(this.#locale, 'engage_poll_draw')
          : sayEngage(this.#locale, 'engage_poll_most', { option, share: sayShare(this.#locale, parts[first ?? 0] ?? 0) });
      say('engage_poll_result', { question: poll.question, best: result });
    }
    if (giveaway?.state.is === 'open' && before.giveaway?.id !== giveaway.id) say('engage_giveaway_new', { prize: giveaway.prize });
    else if (giveaway?.state.is === 'drawn' && before.giveaway?.state.is !== 'drawn') {
      const { winners } = giveaway.state;
      const names = new Intl.ListFormat(this.#locale).format(winners.map((winner) => winner.name));
      const won = winners.some((winner) => winner.entry === state.mine.entry);
      if (won) say('engage_giveaway_won');
      else say('engage_giveaway_winners', { names });
    }
    if (answering && before.questions.find((one) => one.id === answering.id)?.state !== 'answering') say('engage_question_said', { text: answering.text });
  }

  #take(what: Taken): Promise<Answer> {
    return this.client.ask({ type: 'engage', what });
  }

  async #vote(poll: number, option: number): Promise<string | undefined> {
    const answer = await this.#take({ do: 'vote', poll, option });
    if (answer.type !== 'done') return this.#why(answer);
    this.room.engage = voted(this.room.engage, poll, option);
    this.show(false);
    return undefined;
  }

  async #support(question: number): Promise<void> {
    const answer = await this.#take({ do: 'support', question });
    if (answer.type === 'done') {
      this.room.engage = supported(this.room.engage, question);
      this.show(false);
    } else {
      write(this.#said, this.#why(answer) ?? '');
    }
  }

  async #ask(text: string): Promise<{ said: string; taken: boolean }> {
    const answer = await this.#take({ do: 'ask', text });
    if (answer.type === 'lost') return { said: sayEngage(this.#locale, 'engage_question_lost'), taken: false };
    if (answer.type !== 'done') return { said: this.#why(answer) ?? '', taken: false };
    return { said: sayEngage(this.#locale, answer.result === 'held' ? 'engage_question_held' : 'engage_question_asked'), taken: true };
  }

  async #enter(giveaway: number): Promise<string | undefined> {
    const answer = await this.#take({ do: 'enter', giveaway });
    if (answer.type !== 'done' || answer.result !== 'entered') return this.#why(answer);
    this.room.engage = entered(this.room.engage, giveaway, answer.entry);
    this.show(false);
    return undefined;
  }

  #why(answer: Answer): string | undefined {
    if (answer.type === 'refused') return sayRefused(this.#locale, answer);
    return answer.type === 'lost' ? sayChat(this.#locale, 'chat_lost') : undefined;
  }
}
