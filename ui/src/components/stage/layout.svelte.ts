/** How this desk arranges its pictures; another desk may choose otherwise. */
const KEY = 'studio.beside';

export class Layout {
  #beside = $state(localStorage.getItem(KEY) === 'true');
  #program: HTMLElement | undefined;

  /** Preview and program side by side, at one size. */
  get beside() {
    return this.#beside;
  }

  set beside(on: boolean) {
    this.#beside = on;
    localStorage.setItem(KEY, String(on));
  }

  /** Remembers the program's picture while it is there. */
  fullScreenOf = (figure: HTMLElement) => {
    this.#program = figure;
    return () => (this.#program = undefined);
  };

  fullScreen = () => {
    // A system that forbids it leaves the picture where it is; nothing is lost.
    if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
    else this.#program?.requestFullscreen().catch(() => {});
  };
}
