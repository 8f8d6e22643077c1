/** The poll on the viewer page: a question, its answers as keys, and how many chose each. */
import { shares } from '../../chat/engage';
import { sayEngage, sayMany, sayShare } from '../../chat/engage-words';
import { sayLeft } from '../../chat/offer';
import type { ChatLocale } from '../../chat/says';
import type { Poll } from '../../lib/protocol/chat';
import { Fold, icon, label, make, write } from './elements';

interface Row {
  button: HTMLButtonElement;
  bar: HTMLElement;
  share: HTMLElement;
}

export class PollCard {
  readonly element = make('section', 'card poll');
  /** Which poll it shows. */
  id: number | undefined;
  #kind = make('p', 'card-kind');
  #clock = make('span', 'card-clock');
  #question = make('h3', 'card-title');
  #options = make('div', 'poll-options');
  #sum = make('p', 'card-hint');
  #note = make('p', 'card-note');
  #fold = new Fold(this.element);
  #rows: Row[] = [];

  /** `onVote` gives back why a vote does not count, or nothing. */
  constructor(private readonly onVote: (poll: number, option: number) => Promise<string | undefined>) {
    this.#question.id = 'poll-question';
    this.element.setAttribute('aria-labelledby', this.#question.id);
    this.#options.setAttribute('role', 'group');
    this.#options.setAttribute('aria-labelledby', this.#question.id);
    this.#note.setAttribute('aria-live', 'polite');
    const head = make('div', 'card-head', this.#kind, this.#clock, this.#fold.button);
    this.element.append(head, this.#question, make('div', 'card-body', this.#options, this.#sum, this.#note));
  }

  /** Brings it up to date; gives back how long it runs still, in milliseconds. */
  show(poll: Poll, mine: number | undefined, locale: ChatLocale, now: number): number | undefined {
    if (this.id !== poll.id) this.#make(poll);
    const left = poll.open && poll.ends_at_ms !== undefined ? Math.max(0, poll.ends_at_ms - now) : undefined;
    const { total, parts, best } = shares(poll);
    this.element.classList.toggle('over', !poll.open);
    write(this.#kind, sayEngage(locale, poll.open ? 'engage_poll' : 'engage_poll_over'));
    write(this.#clock, left === undefined ? '' : sayEngage(locale, 'engage_poll_ends', { time: sayLeft(left) }));
    write(this.#question, poll.question);
    this.#fold.speak(sayEngage(locale, 'engage_fold'), sayEngage(locale, 'engage_unfold'));
    this.#rows.forEach(({ button, bar, share }, at) => {
      const option = poll.options[at] ?? '';
      const part = parts[at] ?? 0;
      button.disabled = !poll.open;
      button.setAttribute('aria-pressed', String(mine === at));
      button.classList.toggle('best', !poll.open && best.includes(at));
      bar.style.setProperty('--share', String(part));
      write(share, sayShare(locale, part));
      const votes = sayMany(locale, 'votes', poll.votes[at] ?? 0);
      label(button, sayEngage(locale, 'engage_poll_option', { option, share: sayShare(locale, part), votes }));
    });
    const chosen = mine === undefined ? undefined : poll.options[mine];
    const about =
      chosen === undefined
        ? poll.open && sayEngage(locale, 'engage_poll_vote')
        : sayEngage(locale, poll.open ? 'engage_poll_yours' : 'engage_poll_was_yours', { option: chosen });
    write(this.#sum, [sayMany(locale, 'votes', total), about].filter(Boolean).join(' · '));
    return left;
  }

  #make(poll: Poll): void {
    this.id = poll.id;
    this.#fold.turn(false);
    write(this.#note, '');
    this.#rows = poll.options.map((option, at) => {
      const bar = make('i', 'poll-bar');
      const share = make('span', 'poll-share');
      const button = make('button', 'poll-option', bar, icon('done'), make('span', 'poll-text', option), share);
      button.type = 'button';
      button.addEventListener('click', () => void this.#vote(poll.id, at));
      return { button, bar, share };
    });
    this.#options.replaceChildren(...this.#rows.map((row) => row.button));
  }

  async #vote(poll: number, option: number): Promise<void> {
    const why = await this.onVote(poll, option);
    if (this.id === poll) write(this.#note, why ?? '');
  }
}
