/** Tips on the viewer page: the way to give one, the goal, and who gave. */
import { sayRefused } from '../chat/says';
import type { ChatRoom } from '../chat/room';
import { readAmount, sayMoney, saySum, type MoneyKey } from '../money/says';
import type { Event, Refused, Sum, TipRules } from '../lib/protocol/chat';
import type { Locale } from './words';

function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as T;
}

export class Tips {
  #box = byId<HTMLDialogElement>('tip-box');
  #form = byId<HTMLFormElement>('tip-form');
  #presets = byId('tip-presets');
  #other = byId<HTMLInputElement>('tip-other-sum');
  #words = byId<HTMLTextAreaElement>('tip-words');
  #pay = byId<HTMLButtonElement>('tip-pay');
  #again = byId<HTMLAnchorElement>('tip-again');
  #openers = [byId<HTMLButtonElement>('tip-open'), byId<HTMLButtonElement>('tip-open-small')];
  #locale: Locale = 'en';
  #busy = false;
  /** What is being paid in another tab. */
  #paying: { name: string; minor: number } | undefined;
  #made = '';

  constructor(
    private readonly name: string,
    private readonly room: ChatRoom,
  ) {
    for (const opener of this.#openers) opener.addEventListener('click', () => this.#open());
    byId('tip-cancel').addEventListener('click', () => this.#box.close());
    this.#box.addEventListener('click', (event) => {
      // Beside the form is beside the dialog.
      if (event.target === this.#box) this.#box.close();
    });
    this.#other.addEventListener('input', () => {
      for (const one of this.#choices()) one.checked = false;
      this.#write();
    });
    this.#presets.addEventListener('change', () => {
      this.#other.value = '';
      this.#write();
    });
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#go();
    });
    const back = /^#tip=(paid|left)$/.exec(location.hash)?.[1];
    if (back) {
      history.replaceState(null, '', location.pathname + location.search);
      this.#said = back === 'paid' ? 'money_thanks' : 'money_left';
    }
  }

  #said: MoneyKey | undefined;

  speak(locale: Locale): void {
    this.#locale = locale;
    this.#made = '';
    this.show();
  }

  /** Brings button, goal and words up to date. */
  show(): void {
    const { money, you } = this.room;
    const t = this.#t;
    for (const opener of this.#openers) opener.hidden = money.rules === undefined || you === undefined;
    byId('tip-open-text').textContent = t('money_support');
    this.#openers[1]!.setAttribute('aria-label', t('money_support'));
    this.#openers[1]!.title = t('money_support');
    for (const id of ['tip-test', 'tip-box-test']) {
      const mark = byId(id);
      mark.hidden = !money.test || money.rules === undefined;
      mark.title = t('money_test_hint');
      mark.children[0]!.textContent = t('money_test');
      if (mark.children[1]) mark.children[1].textContent = t('money_test_hint');
    }
    if (this.#said) byId('money-said').textContent = t(this.#said);
    const { goal } = money;
    byId('goal').hidden = goal === undefined;
    if (goal) {
      const raised = { ...goal.target, minor: goal.raised };
      byId('goal-label').textContent = t('money_goal', { label: goal.label });
      byId('goal-sum').textContent = t('money_goal_of', { raised: this.#sum(raised), target: this.#sum(goal.target) });
      const bar = byId<HTMLProgressElement>('goal-bar');
      bar.max = goal.target.minor;
      bar.value = Math.min(goal.raised, goal.target.minor);
    }
    this.#write();
  }

  /** Takes in what happened. */
  happened(events: readonly Event[]): void {
    const money = events.flatMap((event) => (event.kind === 'money' ? [event.what] : []));
    if (money.length === 0) return;
    const own = money.some((what) => what.is === 'tipped' && what.tip.name === this.#paying?.name && what.tip.sum.minor === this.#paying.minor);
    if (own) {
      this.#paying = undefined;
      if (this.#box.open) this.#box.close();
    }
    this.show();
  }

  #t = (key: MoneyKey, blanks: Record<string, string> = {}) => sayMoney(this.#locale, key, blanks);
  #sum = (sum: Sum) => saySum(this.#locale, sum);
  #in = (rules: TipRules, minor: number) => this.#sum({ minor, currency: rules.currency, digits: rules.digits });

  #choices(): HTMLInputElement[] {
    return [...this.#presets.querySelectorAll('input')];
  }

  #open(): void {
    this.#paying = undefined;
    this.#again.hidden = true;
    byId('tip-on').textContent = '';
    byId('tip-why').textContent = '';
    this.#write();
    this.#box.showModal();
  }

  /** The sum that is chosen or written; nothing when it is none. */
  #minor(rules: TipRules): number | undefined {
    const chosen = this.#choices().find((one) => one.checked);
    const minor = chosen ? Number(chosen.value) : readAmount(this.#other.value, rules.digits);
    return minor !== undefined && minor >= rules.least && minor <= rules.most ? minor : undefined;
  }

  #write(): void {
    const { rules } = this.room.money;
    if (!rules) return;
    const t = this.#t;
    byId('tip-title').textContent = t('money_support_title');
    byId('tip-amount').textContent = t('money_amount');
    byId('tip-other-text').textContent = t('money_other_of', { currency: rules.currency });
    this.#other.placeholder = t('money_other');
    byId('tip-range').textContent = t('money_range', { least: this.#in(rules, rules.least), most: this.#in(rules, rules.most) });
    byId('tip-words-text').textContent = t('money_message');
    byId('tip-as').textContent = t('money_as', { name: this.room.you?.name ?? '' });
    byId('tip-cancel').textContent = t('money_cancel');
    this.#again.textContent = t('money_open_again');
    this.#makePresets(rules);
    const minor = this.#minor(rules);
    this.#pay.textContent = t('money_pay', { sum: minor === undefined ? '' : this.#in(rules, minor) }).trim();
    const opened = this.#paying !== undefined;
    this.#pay.hidden = opened;
    this.#pay.disabled = this.#busy;
  }

  #makePresets(rules: TipRules): void {
    const made = JSON.stringify([rules, this.#locale]);
    if (made === this.#made) return;
    this.#made = made;
    const before = this.#choices().find((one) => one.checked)?.value;
    const buttons = rules.presets.map((minor, at) => {
      const label = document.createElement('label');
      const input = document.createElement('input');
      input.type = 'radio';
      input.name = 'tip-preset';
      input.value = String(minor);
      input.checked = before === undefined ? at === Math.min(1, rules.presets.length - 1) && this.#other.value === '' : before === input.value;
      label.append(input, this.#in(rules, minor));
      return label;
    });
    this.#presets.replaceChildren(...buttons);
  }

  async #go(): Promise<void> {
    const { rules } = this.room.money;
    const you = this.room.you;
    if (!rules || !you || this.#busy) return;
    const why = byId('tip-why');
    const minor = this.#minor(rules);
    if (minor === undefined) {
      why.textContent = this.#t('money_range', { least: this.#in(rules, rules.least), most: this.#in(rules, rules.most) });
      this.#other.focus();
      return;
    }
    why.textContent = '';
    byId('tip-on').textContent = this.#t('money_opening');
    this.#busy = true;
    this.#write();
    // Opened now, while the click counts: later a browser would take it for one that nobody asked for.
    const tab = window.open('', '_blank');
    const url = await this.#page(minor, you.token);
    this.#busy = false;
    byId('tip-on').textContent = '';
    if (typeof url === 'string') {
      this.#paying = { name: you.name, minor };
      byId('tip-on').textContent = this.#t('money_opened');
      this.#again.href = url;
      this.#again.hidden = false;
      this.#words.value = '';
      if (tab) {
        tab.opener = null;
        tab.location.replace(url);
      }
    } else {
      tab?.close();
      why.textContent = url === undefined ? this.#t('money_lost') : sayRefused(this.#locale, url);
    }
    this.#write();
  }

  /** A page to pay on, or why there is none. */
  async #page(minor: number, token: string): Promise<string | Refused | undefined> {
    const message = this.#words.value.trim();
    try {
      const answer = await fetch(`/api/rooms/${encodeURIComponent(this.name)}/tips`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
        body: JSON.stringify(message === '' ? { minor } : { minor, message }),
      });
      const said = (await answer.json()) as { url?: unknown } & Refused;
      return answer.status === 201 && typeof said.url === 'string' ? said.url : said;
    } catch {
      return undefined;
    }
  }
}
