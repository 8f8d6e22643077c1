/** One hand on the picture: drags, handles and arrow keys become placements, at most thirty a second. */
import type { Studio } from '$lib/engine/studio.svelte';
import type { Placing } from '$lib/placing.svelte';
import type { Frame, Placement, Scene, SceneItem } from '$lib/protocol';
import { contains, cropped, drag, lines, moved, placed, resizeTo, shown, turnTo, type Box, type Guides, type Handle, type Point } from './geometry';

const SEND_MS = 1000 / 30;
/** Lines pull from this far, in pixels of the screen. */
const REACH = 7;
/** Arrow keys within this time are one step of undo. */
const KEYS_MS = 900;
/** A press that moves less is a click. */
const CLICK_PX = 3;

export interface Grip {
  handle?: Handle;
  turn?: boolean;
}

interface Draft {
  item: string;
  placement: Placement;
}

export class PlacementEditor {
  /** What the hand shows before the engine's answer is there. */
  draft = $state.raw<Draft | undefined>();
  guides = $state.raw<Guides>({});
  #studio: Studio;
  #placing: Placing;
  #lastSent = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #keys = { gesture: 0, at: 0, item: '' };

  constructor(studio: Studio, placing: Placing) {
    this.#studio = studio;
    this.#placing = placing;
  }

  get scene(): Scene | undefined {
    return this.#studio.edited;
  }

  get canvas(): Frame {
    return this.#studio.state.settings.canvas;
  }

  get selected(): SceneItem | undefined {
    return this.scene?.items.find((item) => item.id === this.#placing.selected);
  }

  frameOf = (item: SceneItem): Frame | null => this.#studio.statuses.get(item.source)?.frame ?? null;

  placementOf = (item: SceneItem): Placement => (this.draft?.item === item.id ? this.draft.placement : item.placement);

  boxOf = (item: SceneItem): Box => shown(this.placementOf(item), this.canvas, this.frameOf(item)).box;

  /** Pictures that can be taken by hand, front first. */
  within = (): SceneItem[] =>
    [...(this.scene?.items ?? [])].reverse().filter((item) => {
      const kind = this.#studio.sources.get(item.source)?.settings.kind;
      return item.visible && kind !== undefined && kind !== 'microphone' && kind !== 'desktop_audio';
    });

  #under(point: Point): SceneItem | undefined {
    return this.within().find((item) => !item.locked && contains(this.boxOf(item), point));
  }

  /** For the picture's `onpointerdown`; `grip` is the handle that was taken, if any. */
  press = (event: PointerEvent, layer: HTMLElement, grip: Grip = {}) => {
    if (event.button !== 0) return;
    const area = layer.getBoundingClientRect();
    const scale = this.canvas.width / area.width;
    const at = (e: PointerEvent): Point => ({ x: (e.clientX - area.left) * scale, y: (e.clientY - area.top) * scale });
    const start = at(event);
    const gripped = grip.handle !== undefined || grip.turn === true;
    const held = this.selected;
    const onHeld = held && !held.locked && (gripped || contains(this.boxOf(held), start));
    const item = onHeld ? held : this.#under(start);
    this.#placing.selected = item?.id;
    if (!item || item.locked) return;
    event.preventDefault();
    layer.setPointerCapture(event.pointerId);
    const placement = item.placement;
    const box = this.boxOf(item);
    const frame = this.frameOf(item);
    const others = this.within().filter((other) => other.id !== item.id).map(this.boxOf);
    const targets = lines(this.canvas, others);
    const gesture = this.#studio.gesture();
    let travelled = false;

    const follow = (e: PointerEvent) => {
      const point = at(e);
      const by = { x: point.x - start.x, y: point.y - start.y };
      if (!travelled && Math.hypot(by.x, by.y) < CLICK_PX * scale) return;
      travelled = true;
      // Ctrl lets go of the lines.
      const reach = e.ctrlKey || e.metaKey ? -1 : REACH * scale;
      let next: Placement;
      this.guides = {};
      if (grip.turn) next = placed(placement, turnTo(box, point, e.shiftKey), this.canvas);
      else if (grip.handle && e.altKey) next = cropped(placement, this.canvas, frame, grip.handle, by);
      else if (grip.handle) {
        const resized = resizeTo(box, grip.handle, by, !e.shiftKey, targets, reach);
        this.guides = resized.guides;
        // Free of its shape the picture fills the box, or its handles would jump back to where it ends.
        next = { ...placed(placement, resized.box, this.canvas), fit: e.shiftKey ? 'stretch' : placement.fit };
      } else {
        const dragged = drag(box, by, targets, reach);
        this.guides = dragged.guides;
        next = moved(placement, dragged.by, this.canvas);
      }
      this.draft = { item: item.id, placement: next };
      this.#send(gesture);
    };
    const end = () => {
      layer.removeEventListener('pointermove', follow);
      layer.removeEventListener('pointerup', end);
      layer.removeEventListener('pointercancel', end);
      this.guides = {};
      if (travelled) void this.#finish(gesture);
      else if (!gripped) this.#placing.selected = this.#under(start)?.id;
    };
    layer.addEventListener('pointermove', follow);
    layer.addEventListener('pointerup', end);
    layer.addEventListener('pointercancel', end);
  };

  /** Moves the selected picture by whole pixels of the canvas. */
  nudge(by: Point): boolean {
    const item = this.selected;
    if (!item || item.locked) return false;
    const now = performance.now();
    if (this.#keys.item !== item.id || now - this.#keys.at > KEYS_MS) this.#keys.gesture = this.#studio.gesture();
    this.#keys = { gesture: this.#keys.gesture, at: now, item: item.id };
    this.draft = { item: item.id, placement: moved(this.placementOf(item), by, this.canvas) };
    void this.#finish(this.#keys.gesture);
    return true;
  }

  /** Puts the selected picture somewhere, as one step of undo. */
  put(change: Partial<Placement>) {
    const item = this.selected;
    if (!item) return;
    // Upon what is shown: the engine may not have answered the number before this one.
    this.draft = { item: item.id, placement: { ...this.placementOf(item), ...change } };
    void this.#finish(null);
  }

  #send(gesture: number) {
    const wait = this.#lastSent + SEND_MS - performance.now();
    if (wait > 0) {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        this.#send(gesture);
      }, wait);
      return;
    }
    this.#lastSent = performance.now();
    const { draft, scene } = this;
    if (draft && scene) {
      // A place that is refused in the middle of a drag is said once, at its end.
      this.#studio.do({ do: 'place_item', scene: scene.id, item: draft.item, placement: draft.placement, gesture }).catch(() => {});
    }
  }

  async #finish(gesture: number | null) {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { draft, scene } = this;
    if (!draft || !scene) return;
    await this.#studio.try({ do: 'place_item', scene: scene.id, item: draft.item, placement: draft.placement, gesture });
    // The engine's place has arrived before its answer; from here on it is shown again.
    if (this.draft === draft) this.draft = undefined;
  }
}
