/** The page of overlays: the same pictures at the same places as in the program, coming and going in the same way. */
import { follow, type Said, type Shown } from './feed';

/** As in the program: quick at first, then slower. */
const MOVES: KeyframeAnimationOptions = { duration: 300, easing: 'cubic-bezier(0.33, 1, 0.68, 1)', fill: 'both' };

const canvas = document.getElementById('canvas') as HTMLElement;
const pictures = new Map<string, HTMLImageElement>();
const leaving = new Map<string, { picture: HTMLImageElement; last: ReturnType<typeof setTimeout> }>();
/** A page that nobody sees moves nothing and hears of no end: after so long a picture is gone all the same. */
const GONE_WITHIN_MS = 600;

/** A length in the canvas's pixels, however large the page is. */
const across = (pixels: number, width: number) => `${(pixels / width) * 100}cqw`;

function frames({ slide }: Shown, width: number): Keyframe[] {
  return [
    { opacity: 0, transform: `translateY(${across(slide, width)})` },
    { opacity: 1, transform: 'none' },
  ];
}

function place(picture: HTMLImageElement, shown: Shown, width: number): void {
  picture.style.left = across(shown.x, width);
  picture.style.top = across(shown.y, width);
  picture.style.width = across(shown.width, width);
  picture.style.height = across(shown.height, width);
  picture.alt = shown.words;
  if (shown.picture) picture.src = shown.picture;
}

function leave(kind: string, picture: HTMLImageElement): void {
  pictures.delete(kind);
  const gone = () => {
    clearTimeout(leaving.get(kind)?.last);
    leaving.delete(kind);
    picture.remove();
  };
  leaving.set(kind, { picture, last: setTimeout(gone, GONE_WITHIN_MS) });
  const [moving] = picture.getAnimations();
  if (!moving) return gone();
  moving.onfinish = gone;
  moving.reverse();
}

/** The picture of this kind that was about to leave, on its way back. */
function returned(kind: string): HTMLImageElement | undefined {
  const { picture, last } = leaving.get(kind) ?? {};
  const [moving] = picture?.getAnimations() ?? [];
  if (!picture || !moving) return undefined;
  clearTimeout(last);
  leaving.delete(kind);
  pictures.set(kind, picture);
  moving.onfinish = null;
  moving.reverse();
  return picture;
}

function show(said: Extract<Said, { type: 'overlays' }>): void {
  // As large as the page allows, in the canvas's shape.
  canvas.style.width = `min(100vw, ${(said.width / said.height) * 100}vh)`;
  canvas.style.height = `min(100vh, ${(said.height / said.width) * 100}vw)`;
  for (const [kind, picture] of pictures) {
    if (!said.shown.some((shown) => shown.kind === kind)) leave(kind, picture);
  }
  for (const shown of said.shown) {
    let picture = pictures.get(shown.kind) ?? returned(shown.kind);
    if (!picture) {
      picture = new Image();
      picture.dataset.overlay = shown.kind;
      pictures.set(shown.kind, picture);
      place(picture, shown, said.width);
      canvas.append(picture);
      picture.animate(frames(shown, said.width), MOVES);
    } else place(picture, shown, said.width);
  }
}

const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';
const address = new URL('/overlays', location.href);
address.protocol = address.protocol.replace('http', 'ws');
address.hash = '';
follow(address.href, token, (said) => {
  document.documentElement.dataset.state = said.type;
  if (said.type === 'overlays') show(said);
});
