/** Bringing the rows of a list into another order: by drag at the grip, by Alt and the arrows. */

export interface ReorderOptions {
  count: () => number;
  /** Puts row `from` at place `to`, counted without it. */
  move: (from: number, to: number) => void;
  /** Says where a row that was moved by keyboard is now; places count from 0. */
  say: (from: number, to: number) => void;
}

export class Reorder {
  /** The row that is being dragged, and the gap that it would go to (0 is above the first row). */
  from = $state<number | undefined>();
  gap = $state<number | undefined>();
  #options: ReorderOptions;

  constructor(options: ReorderOptions) {
    this.#options = options;
  }

  /** For a grip's `onpointerdown`; the list is the nearest `ol`. */
  grab = (event: PointerEvent, index: number) => {
    if (event.button !== 0) return;
    const grip = event.currentTarget as HTMLElement;
    const list = grip.closest('ol');
    if (!list) return;
    event.preventDefault();
    grip.setPointerCapture(event.pointerId);
    this.from = index;
    const follow = (at: PointerEvent) => {
      const rows = [...list.children].map((row) => row.getBoundingClientRect());
      this.gap = rows.filter((row) => at.clientY > row.top + row.height / 2).length;
    };
    const end = (at: PointerEvent) => {
      grip.removeEventListener('pointermove', follow);
      grip.removeEventListener('pointerup', end);
      grip.removeEventListener('pointercancel', end);
      const { from, gap } = this;
      this.from = this.gap = undefined;
      if (at.type !== 'pointerup' || from === undefined || gap === undefined) return;
      const to = gap > from ? gap - 1 : gap;
      if (to !== from) this.#options.move(from, to);
    };
    grip.addEventListener('pointermove', follow);
    grip.addEventListener('pointerup', end);
    grip.addEventListener('pointercancel', end);
  };

  /** For a row's `onkeydown`. */
  key = (event: KeyboardEvent, index: number) => {
    if (!event.altKey || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown')) return;
    event.preventDefault();
    event.stopPropagation();
    const to = index + (event.key === 'ArrowUp' ? -1 : 1);
    if (to < 0 || to >= this.#options.count()) return;
    this.#options.move(index, to);
    this.#options.say(index, to);
  };

  /** Where to draw the line at which the row would land. */
  mark(index: number): 'above' | 'below' | undefined {
    if (this.gap === index) return 'above';
    return this.gap === index + 1 && index === this.#options.count() - 1 ? 'below' : undefined;
  }
}
