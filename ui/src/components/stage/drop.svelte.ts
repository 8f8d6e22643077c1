/** Files from another program that are let go over the desk: each becomes a source of the scene that is edited. */
import type { Studio } from '$lib/engine/studio.svelte';
import type { DroppedFile } from '$lib/host/host';
import { baseName, sourceOfFile } from '$lib/media-files';
import { m } from '$lib/paraglide/messages.js';
import { placedAround } from '$lib/placements';
import type { Placing } from '$lib/placing.svelte';
import type { Placement, SourceSettings } from '$lib/protocol';
import type { Point } from './geometry';

/** A file whose path nobody knows yet. */
export interface Pathless {
  name: string;
  settings: SourceSettings;
  placement: Placement | null;
}

export class FileDrop {
  /** Files are above the desk. */
  over = $state(false);
  /** The place that the first of them would get; `undefined` beside the picture. */
  place = $state.raw<Placement | undefined>();
  #studio: Studio;
  #placing: Placing;
  #onpathless: (file: Pathless) => void;
  #picture: HTMLElement | undefined;

  constructor(studio: Studio, placing: Placing, onpathless: (file: Pathless) => void) {
    this.#studio = studio;
    this.#placing = placing;
    this.#onpathless = onpathless;
  }

  watch = () =>
    this.#studio.host.watchFiles({
      over: (at) => {
        this.over = true;
        const point = this.#pointOf(at);
        this.place = point && placedAround(point);
      },
      left: this.#left,
      dropped: (at, files) => {
        this.#left();
        void this.#take(this.#pointOf(at), files);
      },
    });

  /** Remembers the picture that is edited while it is there. */
  pictureOf = (element: HTMLElement) => {
    this.#picture = element;
    return () => (this.#picture = undefined);
  };

  #left = () => {
    this.over = false;
    this.place = undefined;
  };

  /** A place of the page as a fraction of the picture; `undefined` beside it. */
  #pointOf(at: Point): Point | undefined {
    const area = this.#picture?.getBoundingClientRect();
    if (!area) return undefined;
    const point = { x: (at.x - area.left) / area.width, y: (at.y - area.top) / area.height };
    return point.x >= 0 && point.x <= 1 && point.y >= 0 && point.y <= 1 ? point : undefined;
  }

  async #take(point: Point | undefined, files: DroppedFile[]) {
    let nth = 0;
    for (const { name, path } of files) {
      const settings = sourceOfFile(name, path ?? '');
      if (!settings) {
        this.#studio.say({ words: () => ({ title: m.drop_unknown_title({ name }), hint: m.drop_unknown_hint() }) });
        continue;
      }
      // Beside the picture it fills the canvas, as a source does that is added by its form.
      const placement = point ? placedAround(point, nth++) : null;
      if (path !== undefined) {
        await this.#add(baseName(name), settings, placement);
        continue;
      }
      this.#onpathless({ name, settings, placement });
      return; // One form at a time; the others can be dropped again.
    }
  }

  async #add(name: string, settings: SourceSettings, placement: Placement | null) {
    const scene = this.#studio.edited;
    const draft = { name: name.slice(0, 60), settings };
    const reply = await this.#studio.try({ do: 'add_source', draft, scene: scene?.id ?? null, placement });
    if (reply?.reply !== 'source') return;
    const item = this.#studio.edited?.items.find(({ source }) => source === reply.id);
    if (item) this.#placing.selected = item.id;
  }
}
