/** Viewers' questions on the viewer page: the list, who wants what answered, and the place to ask. */
import { ranked } from '../../chat/engage';
import { sayEngage } from '../../chat/engage-words';
import type { ChatLocale } from '../../chat/says';
import type { Engagement, Question } from '../../lib/protocol/chat';
import { byId, icon, label, make, write } from './elements';

/** As the server has it. */
const MOST_CHARACTERS = 280;

export interface QuestionHands {
  onSupport(question: number): void;
  /** What became of it, in words, and whether the words may go from the field. */
  onAsk(text: string): Promise<{ said: string; taken: boolean }>;
}

class Row {
  readonly element = make('li', 'question');
  #key = make('button', 'question-key', icon('up'));
  #count = make('span');
  #state = make('span', 'question-state');
  #text = make('p', 'question-text');
  #by = make('span', 'question-by');
  #question: Question | undefined;

  constructor(hands: QuestionHands) {
    this.#key.type = 'button';
    this.#key.append(this.#count);
    this.#key.addEventListener('click', () => {
      // It stays where it is, and says that it was done: focus and finger are on it.
      if (this.#question && this.#key.getAttribute('aria-pressed') !== 'true') hands.onSupport(this.#question.id);
    });
    this.element.append(this.#key, make('div', 'question-words', this.#text, make('p', 'question-about', this.#state, this.#by)));
  }

  show(question: Question, supported: boolean, locale: ChatLocale): void {
    this.#question = question;
    const { text, state } = question;
    const count = new Intl.NumberFormat(locale).format(question.votes);
    this.element.dataset.state = state;
    this.element.dataset.question = String(question.id);
    write(this.#text, text);
    write(this.#count, count);
    const answered = state === 'answered';
    this.#key.disabled = answered;
    this.#key.setAttribute('aria-pressed', String(supported));
    label(this.#key, sayEngage(locale, answered ? 'engage_question_votes' : supported ? 'engage_question_supported' : 'engage_question_support', { text, count }));
    write(this.#by, sayEngage(locale, 'engage_question_by', { name: question.by.name }));
    write(this.#state, state === 'answering' ? sayEngage(locale, 'engage_question_now') : answered ? sayEngage(locale, 'engage_question_answered') : '');
  }
}

export class QuestionsPanel {
  #list = byId('question-list');
  #none = byId('question-none');
  #form = byId<HTMLFormElement>('question-form');
  #field = byId<HTMLTextAreaElement>('question-text');
  #send = byId<HTMLButtonElement>('question-send');
  #note = byId('question-note');
  #rows = new Map<number, Row>();

  constructor(private readonly hands: QuestionHands) {
    this.#field.maxLength = MOST_CHARACTERS;
    this.#field.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#form.requestSubmit();
    });
    this.#field.addEventListener('input', () => write(this.#note, ''));
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#ask();
    });
  }

  show(state: Engagement, locale: ChatLocale): void {
    this.#form.hidden = !state.questions_open;
    label(this.#field, sayEngage(locale, 'engage_question_ask'));
    this.#field.placeholder = sayEngage(locale, 'engage_question_place');
    write(this.#send, sayEngage(locale, 'engage_question_send'));
    const list = ranked(state.questions);
    this.#none.hidden = list.length > 0;
    this.#list.hidden = list.length === 0;
    write(this.#none, sayEngage(locale, state.questions_open ? 'engage_questions_none' : 'engage_questions_shut'));
    const wanted = new Set(list.map((question) => question.id));
    for (const [id, row] of this.#rows) {
      if (wanted.has(id)) continue;
      row.element.remove();
      this.#rows.delete(id);
    }
    const held = this.#list.contains(document.activeElement) ? document.activeElement : null;
    list.forEach((question, at) => {
      let row = this.#rows.get(question.id);
      if (!row) this.#rows.set(question.id, (row = new Row(this.hands)));
      row.show(question, state.mine.supported.includes(question.id), locale);
      if (this.#list.children[at] !== row.element) this.#list.insertBefore(row.element, this.#list.children[at] ?? null);
    });
    // A row that has moved up has taken its focus out of the page.
    if (held instanceof HTMLElement && held !== document.activeElement && held.isConnected) held.focus({ preventScroll: true });
  }

  async #ask(): Promise<void> {
    const text = this.#field.value.trim();
    if (text === '' || this.#send.disabled) return;
    this.#send.disabled = true;
    const { said, taken } = await this.hands.onAsk(text);
    this.#send.disabled = false;
    if (taken && this.#field.value.trim() === text) this.#field.value = '';
    write(this.#note, said);
  }
}
