/** The kinds of overlays, as the desk lists them. */
import { clockTime, count } from '$lib/format';
import { fileName } from '$lib/media-files';
import { m } from '$lib/paraglide/messages.js';
import type { Overlay, OverlayKind, OverlayPlace, PreparedOverlay, State } from '$lib/protocol';
import type { IconName } from '../shared/icons';

export const KINDS: { kind: OverlayKind; icon: IconName; name: () => string }[] = [
  { kind: 'product_card', icon: 'bag', name: m.overlay_product_card },
  { kind: 'chat_message', icon: 'chat', name: m.overlay_chat_message },
  { kind: 'lower_third', icon: 'text', name: m.overlay_lower_third },
  { kind: 'logo', icon: 'image', name: m.overlay_logo },
  { kind: 'countdown', icon: 'clock', name: m.overlay_countdown },
  { kind: 'goal', icon: 'up', name: m.overlay_goal },
];

export const PLACES: { place: OverlayPlace; name: () => string }[] = [
  { place: 'top_left', name: m.overlay_place_top_left },
  { place: 'top', name: m.overlay_place_top },
  { place: 'top_right', name: m.overlay_place_top_right },
  { place: 'bottom_left', name: m.overlay_place_bottom_left },
  { place: 'bottom', name: m.overlay_place_bottom },
  { place: 'bottom_right', name: m.overlay_place_bottom_right },
];

export type Products = State['products'];

/** The overlay of this kind that is ready, if one is. */
export const preparedOf = (prepared: readonly PreparedOverlay[], kind: OverlayKind): PreparedOverlay | undefined =>
  prepared.find((one) => one.overlay.kind === kind);

/** What a switch would show: what is ready; for the card, the product that viewers look at now. */
export function offered(prepared: readonly PreparedOverlay[], products: Products, kind: OverlayKind): PreparedOverlay | undefined {
  const ready = preparedOf(prepared, kind);
  const [featured] = products.featured;
  if (kind !== 'product_card' || ready?.shown || featured === undefined) return ready;
  return { overlay: { kind, product: featured }, shown: false };
}

/** Time that is left, hours only where there are some. */
export const timeLeft = (ms: number): string => clockTime(Math.max(0, Math.ceil(ms / 1000) * 1000)).replace(/^00:/, '');

/** Which one it is, in a few words. */
export function detailOf(overlay: Overlay, products: Products, now: number): string {
  switch (overlay.kind) {
    case 'product_card':
      return products.chosen.find(({ product }) => product.id === overlay.product)?.product.title ?? '';
    case 'chat_message':
      return overlay.name;
    case 'lower_third':
      return overlay.title;
    case 'logo':
      return fileName(overlay.path);
    case 'countdown':
      return timeLeft(overlay.ends_at_ms - now);
    case 'goal':
      return `${count(overlay.value)} / ${count(overlay.target)}`;
  }
}

/** Whether showing it would show nothing any more. */
export const over = (overlay: Overlay, now: number): boolean => overlay.kind === 'countdown' && overlay.ends_at_ms <= now;
