/** Placing by hand: boxes on the canvas in pixels, so that shapes stay true; fractions only at the border. */
import type { Crop, Frame, Placement } from '$lib/protocol';

export interface Point {
  x: number;
  y: number;
}

/** An upright rectangle that is turned about its centre, degrees clockwise. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
  rotation: number;
}

export type Handle = 'nw' | 'n' | 'ne' | 'e' | 'se' | 's' | 'sw' | 'w';
export const HANDLES: readonly Handle[] = ['nw', 'n', 'ne', 'e', 'se', 's', 'sw', 'w'];

/** Lines that a box was drawn to, for the guide lines. */
export interface Guides {
  x?: number;
  y?: number;
}

const LEAST_PX = 8;
const side = (handle: Handle) => ({
  x: handle.includes('w') ? -1 : handle.includes('e') ? 1 : 0,
  y: handle.includes('n') ? -1 : handle.includes('s') ? 1 : 0,
});
const clamp = (value: number, least: number, most: number) => Math.min(most, Math.max(least, value));
const fine = (value: number) => Math.round(value * 1e5) / 1e5;

export function turned(point: Point, degrees: number): Point {
  const angle = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return { x: point.x * cos - point.y * sin, y: point.x * sin + point.y * cos };
}

export const centre = (box: Box): Point => ({ x: box.x + box.width / 2, y: box.y + box.height / 2 });

/** The crop of a placement with what `cover` cuts off, and the box that the picture really fills. */
export function shown(placement: Placement, canvas: Frame, frame: Frame | null): { box: Box; crop: Crop } {
  const box: Box = {
    x: placement.x * canvas.width,
    y: placement.y * canvas.height,
    width: placement.width * canvas.width,
    height: placement.height * canvas.height,
    rotation: placement.rotation,
  };
  const crop = { ...placement.crop };
  if (!frame || placement.fit === 'stretch' || frame.width === 0 || frame.height === 0) return { box, crop };
  const visible = { x: 1 - crop.left - crop.right, y: 1 - crop.top - crop.bottom };
  const cut = { width: frame.width * visible.x, height: frame.height * visible.y };
  const scales = [box.width / cut.width, box.height / cut.height] as const;
  if (placement.fit === 'contain') {
    const scale = Math.min(...scales);
    const [width, height] = [cut.width * scale, cut.height * scale];
    return {
      box: { ...box, x: box.x + (box.width - width) / 2, y: box.y + (box.height - height) / 2, width, height },
      crop,
    };
  }
  const scale = Math.max(...scales);
  const hidden = { x: 1 - box.width / (cut.width * scale), y: 1 - box.height / (cut.height * scale) };
  crop.left += (visible.x * hidden.x) / 2;
  crop.right += (visible.x * hidden.x) / 2;
  crop.top += (visible.y * hidden.y) / 2;
  crop.bottom += (visible.y * hidden.y) / 2;
  return { box, crop };
}

/** A placement with another box, within the ranges that the engine takes. */
export function placed(placement: Placement, box: Box, canvas: Frame): Placement {
  let rotation = box.rotation % 360;
  if (rotation > 180) rotation -= 360;
  if (rotation < -180) rotation += 360;
  return {
    ...placement,
    x: fine(clamp(box.x / canvas.width, -4, 4)),
    y: fine(clamp(box.y / canvas.height, -4, 4)),
    width: fine(clamp(box.width / canvas.width, 0.005, 8)),
    height: fine(clamp(box.height / canvas.height, 0.005, 8)),
    rotation: fine(rotation),
  };
}

export const moved = (placement: Placement, by: Point, canvas: Frame): Placement => ({
  ...placement,
  x: fine(clamp(placement.x + by.x / canvas.width, -4, 4)),
  y: fine(clamp(placement.y + by.y / canvas.height, -4, 4)),
});

/** The upright rectangle around a turned box. */
export function bounds(box: Box): { left: number; right: number; top: number; bottom: number } {
  const middle = centre(box);
  const corners = [-1, 1].flatMap((x) =>
    [-1, 1].map((y) => turned({ x: (x * box.width) / 2, y: (y * box.height) / 2 }, box.rotation)),
  );
  const xs = corners.map((corner) => middle.x + corner.x);
  const ys = corners.map((corner) => middle.y + corner.y);
  return { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
}

export function contains(box: Box, point: Point): boolean {
  const middle = centre(box);
  const local = turned({ x: point.x - middle.x, y: point.y - middle.y }, -box.rotation);
  return Math.abs(local.x) <= box.width / 2 && Math.abs(local.y) <= box.height / 2;
}

/** Edges and centres that boxes are drawn to. */
export function lines(canvas: Frame, others: Box[]): { x: number[]; y: number[] } {
  const x = [0, canvas.width / 2, canvas.width];
  const y = [0, canvas.height / 2, canvas.height];
  for (const other of others) {
    const edge = bounds(other);
    x.push(edge.left, (edge.left + edge.right) / 2, edge.right);
    y.push(edge.top, (edge.top + edge.bottom) / 2, edge.bottom);
  }
  return { x, y };
}

/** The smallest way from any of `marks` to any of `targets`, if within reach. */
export function pull(marks: number[], targets: number[], reach: number): { by: number; to: number } | undefined {
  let best: { by: number; to: number } | undefined;
  for (const mark of marks) {
    for (const to of targets) {
      const by = to - mark;
      if (Math.abs(by) <= reach && (!best || Math.abs(by) < Math.abs(best.by))) best = { by, to };
    }
  }
  return best;
}

/** Moves a box by a drag, drawn to lines within `reach` pixels. */
export function drag(box: Box, by: Point, targets: { x: number[]; y: number[] }, reach: number): { by: Point; guides: Guides } {
  const edge = bounds({ ...box, x: box.x + by.x, y: box.y + by.y });
  const x = pull([edge.left, (edge.left + edge.right) / 2, edge.right], targets.x, reach);
  const y = pull([edge.top, (edge.top + edge.bottom) / 2, edge.bottom], targets.y, reach);
  return { by: { x: by.x + (x?.by ?? 0), y: by.y + (y?.by ?? 0) }, guides: { x: x?.to, y: y?.to } };
}

/** Resizes from one handle; the opposite side stays where it is, also on a turned box. */
export function resize(box: Box, handle: Handle, by: Point, keepShape: boolean): Box {
  const to = side(handle);
  const local = turned(by, -box.rotation);
  let width = Math.max(LEAST_PX, box.width + to.x * local.x);
  let height = Math.max(LEAST_PX, box.height + to.y * local.y);
  if (keepShape) {
    const [sx, sy] = [width / box.width, height / box.height];
    const least = LEAST_PX / Math.min(box.width, box.height);
    // A corner follows whichever side was pulled further; an edge takes the other one along.
    const scale = Math.max(least, to.x === 0 ? sy : to.y === 0 ? sx : Math.abs(sx - 1) > Math.abs(sy - 1) ? sx : sy);
    width = box.width * scale;
    height = box.height * scale;
  }
  const shift = turned(
    { x: (to.x * (width - box.width)) / 2, y: (to.y * (height - box.height)) / 2 },
    box.rotation,
  );
  const middle = centre(box);
  return {
    ...box,
    x: middle.x + shift.x - width / 2,
    y: middle.y + shift.y - height / 2,
    width,
    height,
  };
}

/** As {@link resize}, with the moved edges drawn to lines; only for boxes that stand upright. */
export function resizeTo(
  box: Box,
  handle: Handle,
  by: Point,
  keepShape: boolean,
  targets: { x: number[]; y: number[] },
  reach: number,
): { box: Box; guides: Guides } {
  const free = resize(box, handle, by, keepShape);
  if (box.rotation !== 0) return { box: free, guides: {} };
  const to = side(handle);
  const edge = bounds(free);
  const x = to.x === 0 ? undefined : pull([to.x < 0 ? edge.left : edge.right], targets.x, reach);
  const y = to.y === 0 ? undefined : pull([to.y < 0 ? edge.top : edge.bottom], targets.y, reach);
  if (!x && !y) return { box: free, guides: {} };
  if (!keepShape) {
    const snapped = resize(box, handle, { x: by.x + (x?.by ?? 0), y: by.y + (y?.by ?? 0) }, false);
    return { box: snapped, guides: { x: x?.to, y: y?.to } };
  }
  // With the shape kept, one line decides; the nearer one.
  const across = x && (!y || Math.abs(x.by) <= Math.abs(y.by));
  const scale = across
    ? (free.width + to.x * x.by) / box.width
    : (free.height + to.y * (y?.by ?? 0)) / box.height;
  const snapped = resize(
    box,
    handle,
    { x: to.x * box.width * (scale - 1), y: to.y * box.height * (scale - 1) },
    true,
  );
  return { box: snapped, guides: across ? { x: x.to } : { y: y?.to } };
}

/** Turns a box so that its top points at `point`; in steps of 15° near them, or always with `steps`. */
export function turnTo(box: Box, point: Point, steps: boolean): Box {
  const middle = centre(box);
  const angle = (Math.atan2(point.y - middle.y, point.x - middle.x) * 180) / Math.PI + 90;
  const step = Math.round(angle / 15) * 15;
  const rotation = steps || Math.abs(angle - step) < 3 ? step : angle;
  return { ...box, rotation: rotation > 180 ? rotation - 360 : rotation };
}

/** Cuts (or gives back) a side of the picture; what stays visible does not move. */
export function cropped(placement: Placement, canvas: Frame, frame: Frame | null, handle: Handle, by: Point): Placement {
  const { box, crop } = shown(placement, canvas, frame);
  const to = side(handle);
  const local = turned(by, -box.rotation);
  const next = { ...crop };
  const cutAxis = (low: 'left' | 'top', high: 'right' | 'bottom', direction: number, length: number, travel: number) => {
    if (direction === 0) return 0;
    const visible = 1 - crop[low] - crop[high];
    const whole = length / visible;
    const [near, far] = direction < 0 ? ([low, high] as const) : ([high, low] as const);
    next[near] = fine(clamp(crop[near] + (-direction * travel) / whole, 0, Math.max(0, 0.98 - crop[far])));
    return (crop[near] - next[near]) * whole;
  };
  const grownX = cutAxis('left', 'right', to.x, box.width, local.x);
  const grownY = cutAxis('top', 'bottom', to.y, box.height, local.y);
  next.left = fine(next.left);
  next.right = fine(next.right);
  next.top = fine(next.top);
  next.bottom = fine(next.bottom);
  const middle = centre(box);
  const shift = turned({ x: (to.x * grownX) / 2, y: (to.y * grownY) / 2 }, box.rotation);
  const width = box.width + grownX;
  const height = box.height + grownY;
  const box2 = { ...box, width, height, x: middle.x + shift.x - width / 2, y: middle.y + shift.y - height / 2 };
  return { ...placed(placement, box2, canvas), crop: next };
}
