/** Small ways to make elements and to write into them. */

export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as T;
}

/** An element with a class, and what stands in it: texts are text. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className = '',
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

export function icon(name: string): SVGSVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `#i-${name}`);
  svg.append(use);
  return svg;
}

/** Writes only what changed: a live region speaks at every write, and a selection stays where it is. */
export function write(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function label(element: Element, text: string): void {
  if (element.getAttribute('aria-label') !== text) element.setAttribute('aria-label', text);
}

/** A key that makes its card small or whole again. */
export class Fold {
  readonly button = make('button', 'fold', icon('fold'));
  #folded = false;

  constructor(private readonly card: HTMLElement) {
    this.button.type = 'button';
    this.button.addEventListener('click', () => this.turn(!this.#folded));
  }

  turn(folded: boolean): void {
    this.#folded = folded;
    this.card.classList.toggle('folded', folded);
    this.button.setAttribute('aria-expanded', String(!folded));
  }

  speak(fold: string, unfold: string): void {
    label(this.button, this.#folded ? unfold : fold);
    this.button.title = this.#folded ? unfold : fold;
  }
}
