/** The room's books as the desk shows them: revenue by show, and what was paid. Read again when the server says that they changed. */
import type { Sale, ShowRevenue } from '$lib/protocol/chat';
import type { Moderation } from '../../moderate/moderation.svelte';

/** Least time between two readings: a rush of tips is read together. */
const BETWEEN_MS = 400;

export class Books {
  shows = $state.raw<ShowRevenue[]>([]);
  /** In hundredths of a percent. */
  feeBasisPoints = $state(0);
  sales = $state.raw<Sale[]>([]);
  more = $state(false);
  /** The show that is looked at; the one on sale now unless another was chosen. */
  chosen = $state<number | undefined>();
  #chat: Moderation;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #readAt = 0;

  constructor(chat: Moderation) {
    this.#chat = chat;
  }

  get show(): ShowRevenue | undefined {
    return this.shows.find((show) => show.number === this.chosen) ?? this.shows[0];
  }

  /** Soon, and once for all that comes together. */
  changed(): void {
    if (this.#timer !== undefined) return;
    const wait = Math.max(0, this.#readAt + BETWEEN_MS - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.read();
    }, wait);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  choose(show: number): void {
    this.chosen = show === this.shows[0]?.number ? undefined : show;
    this.sales = [];
    void this.read();
  }

  async read(): Promise<void> {
    this.#readAt = performance.now();
    const revenue = await this.#chat.ask({ type: 'money', question: { of: 'revenue' } });
    if (revenue.type !== 'money' || revenue.answer.of !== 'revenue') return;
    this.shows = revenue.answer.shows;
    this.feeBasisPoints = revenue.answer.fee_basis_points;
    const show = this.show?.number;
    if (show === undefined) return;
    const paid = await this.#chat.ask({ type: 'money', question: { of: 'sales', show } });
    if (paid.type !== 'money' || paid.answer.of !== 'sales' || this.show?.number !== show) return;
    const newest = paid.answer.sales;
    // What was read further back stays, as it was then.
    const last = newest.at(-1)?.at_ms ?? 0;
    const older = paid.answer.more ? this.sales.filter((sale) => sale.at_ms < last) : [];
    this.sales = [...newest, ...older];
    if (older.length === 0) this.more = paid.answer.more;
  }

  async readOlder(): Promise<void> {
    const last = this.sales.at(-1);
    if (!last) return;
    const paid = await this.#chat.ask({ type: 'money', question: { of: 'sales', show: last.show, before_ms: last.at_ms } });
    if (paid.type !== 'money' || paid.answer.of !== 'sales' || this.show?.number !== last.show) return;
    this.sales = [...this.sales, ...paid.answer.sales];
    this.more = paid.answer.more;
  }
}
