/** A scene's small picture, put together from the small pictures of its sources. */
import type { Placement, Scene } from '$lib/protocol';

export interface Sized {
  width: number;
  height: number;
}

/** Where on a picture to take from, and where on the canvas to draw, both in pixels, before turning. */
export function cut(placement: Placement, picture: Sized, width: number, height: number) {
  const { crop } = placement;
  const from = {
    x: crop.left * picture.width,
    y: crop.top * picture.height,
    width: (1 - crop.left - crop.right) * picture.width,
    height: (1 - crop.top - crop.bottom) * picture.height,
  };
  const to = { x: placement.x * width, y: placement.y * height, width: placement.width * width, height: placement.height * height };
  const scales = [to.width / from.width, to.height / from.height] as const;
  if (placement.fit === 'contain') {
    const scale = Math.min(...scales);
    const [w, h] = [from.width * scale, from.height * scale];
    return { from, to: { x: to.x + (to.width - w) / 2, y: to.y + (to.height - h) / 2, width: w, height: h } };
  }
  if (placement.fit === 'cover') {
    const scale = Math.max(...scales);
    const [w, h] = [to.width / scale, to.height / scale];
    return { from: { x: from.x + (from.width - w) / 2, y: from.y + (from.height - h) / 2, width: w, height: h }, to };
  }
  return { from, to };
}

export function composeScene(
  context: CanvasRenderingContext2D,
  scene: Scene,
  pictureOf: (source: string) => ImageBitmap | undefined,
  width: number,
  height: number,
) {
  context.clearRect(0, 0, width, height);
  for (const item of scene.items) {
    const picture = item.visible ? pictureOf(item.source) : undefined;
    if (!picture) continue;
    const { from, to } = cut(item.placement, picture, width, height);
    context.save();
    context.globalAlpha = item.placement.opacity;
    context.translate(to.x + to.width / 2, to.y + to.height / 2);
    context.rotate((item.placement.rotation * Math.PI) / 180);
    context.drawImage(picture, from.x, from.y, from.width, from.height, -to.width / 2, -to.height / 2, to.width, to.height);
    context.restore();
  }
}
