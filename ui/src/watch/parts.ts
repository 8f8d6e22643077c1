/** The parts beside the picture (chat, products, questions): one is open, and tabs say which, once there are several. */

/** One of them. */
export interface Part {
  tab: HTMLElement;
  panel: HTMLElement;
  /** It has just been opened by hand. */
  onOpen(): void;
}

export class Parts {
  #parts: Part[] = [];
  #offered = new Set<Part>();

  /** The first part that is added is always offered, and open until another one is chosen. */
  constructor(private readonly bar: HTMLElement) {}

  add(part: Part): void {
    this.#parts.push(part);
    part.tab.addEventListener('click', () => this.open(part));
    part.tab.addEventListener('keydown', (event) => {
      const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
      if (by === 0) return;
      event.preventDefault();
      const offered = this.#parts.filter((one) => this.#offered.has(one));
      const next = offered[(offered.indexOf(part) + by + offered.length) % offered.length];
      if (!next) return;
      this.open(next);
      next.tab.focus();
    });
    if (this.#parts.length === 1) this.#offered.add(part);
    this.#show(this.#parts[0] ?? part);
  }

  isOpen(part: Part): boolean {
    return !part.panel.hidden;
  }

  /** Whether a part can be chosen; one that no longer can gives way to the first. */
  offer(part: Part, offered: boolean): void {
    if (this.#offered.has(part) === offered) return;
    if (offered) this.#offered.add(part);
    else this.#offered.delete(part);
    const first = this.#parts[0];
    if (!offered && this.isOpen(part) && first) this.open(first);
    this.#show(this.#parts.find((one) => this.isOpen(one)) ?? part);
  }

  open(part: Part): void {
    this.#show(part);
    part.onOpen();
  }

  #show(open: Part): void {
    this.bar.hidden = this.#offered.size < 2;
    for (const part of this.#parts) {
      part.tab.hidden = !this.#offered.has(part);
      part.panel.hidden = part !== open;
      part.tab.setAttribute('aria-selected', String(part === open));
      part.tab.tabIndex = part === open ? 0 : -1;
    }
  }
}
