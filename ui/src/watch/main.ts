/** The viewer page: puts the room and the session on the screen, and hands to the person. */
import { startChat, type Chat } from './chat';
import { rememberedPass } from './chat-memory';
import { follow, type Room } from './room';
import { Tickets } from './tickets';
import { Viewer, type Scene, type View } from './viewer';
import { figures, pick, remember, remembered, say, sayDelay, sayTime, sayViewers, type Key, type Locale } from './words';

function element<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as T;
}

const page = element('page');
const screen = element('screen');
const player = element('player');
const video = element<HTMLVideoElement>('video');
const unmute = element<HTMLButtonElement>('unmute');
const play = element<HTMLButtonElement>('play');
const mute = element<HTMLButtonElement>('mute');
const volume = element<HTMLInputElement>('volume');
const full = element<HTMLButtonElement>('full');

const name = decodeURIComponent(location.pathname.split('/')[2] ?? '');
let locale: Locale = pick(remembered(), navigator.languages);
let room: Room | undefined;
let view: View = { scene: 'connecting' };
let paused = false;
let firstPictureMs: number | undefined;
let chat: Chat | undefined;
const tickets = new Tickets(name, (pass) => {
  viewer.admit(pass);
  if (pass !== undefined) chat?.admit(pass);
});

const words: Record<Scene, [Key, Key?]> = {
  connecting: ['watch_connecting'],
  starting: ['watch_starting', 'watch_starting_hint'],
  live: ['watch_live'],
  waiting: ['watch_waiting', 'watch_waiting_hint'],
  reconnecting: ['watch_reconnecting', 'watch_reconnecting_hint'],
  ended: ['watch_ended', 'watch_ended_hint'],
  full: ['watch_full', 'watch_full_hint'],
  // What stands in their place is the ticket office.
  ticket: ['watch_connecting'],
  devices: ['watch_connecting'],
  unsupported: ['watch_unsupported', 'watch_unsupported_hint'],
};

/** Writes only what changed: a live region speaks at every write. */
function write(id: string, text: string): void {
  const target = element(id);
  if (target.textContent !== text) target.textContent = text;
}

function label(button: HTMLElement, key: Key, icon: string): void {
  const text = say(locale, key);
  if (button.getAttribute('aria-label') !== text) {
    button.setAttribute('aria-label', text);
    button.title = text;
  }
  button.querySelector('use')?.setAttribute('href', `#i-${icon}`);
}

function showScene(): void {
  page.dataset.scene = view.scene;
  const [what, hint] = words[view.scene];
  const office = tickets.show(view.scene, view.devices);
  write('notice', view.scene === 'live' || office ? '' : say(locale, what));
  write('hint', hint && !office ? say(locale, hint) : '');
  const live = view.scene === 'live';
  write('delay', paused ? say(locale, 'watch_paused') : live && view.delayMs ? sayDelay(locale, view.delayMs) : '');
  unmute.hidden = !live || !video.muted;
}

function showRoom(): void {
  const title = room?.title || say(locale, 'watch_untitled');
  write('title', title);
  document.title = say(locale, 'watch_title', { title });
  const shown = room !== undefined && room.state === 'live';
  element('viewers-chip').hidden = !shown;
  if (shown) {
    write('viewers-count', figures(locale, room?.viewers ?? 0));
    write('viewers', sayViewers(locale, room?.viewers ?? 0));
  }
  const since = element('since');
  since.hidden = !(shown && room?.since_ms !== undefined);
  if (room?.since_ms !== undefined) {
    write('since', say(locale, 'watch_since', { time: sayTime(locale, new Date(room.since_ms)) }));
  }
}

function showControls(): void {
  const [playKey, playIcon]: [Key, string] = paused ? ['watch_play', 'play'] : ['watch_pause', 'pause'];
  label(play, playKey, playIcon);
  const [muteKey, muteIcon]: [Key, string] = video.muted ? ['watch_unmute', 'speaker-off'] : ['watch_mute', 'speaker'];
  label(mute, muteKey, muteIcon);
  label(full, document.fullscreenElement ? 'watch_fullscreen_leave' : 'watch_fullscreen', 'full');
  volume.value = String(video.muted ? 0 : Math.round(video.volume * 100));
  volume.setAttribute('aria-valuetext', new Intl.NumberFormat(locale, { style: 'percent' }).format(Number(volume.value) / 100));
  showScene();
}

function speak(chosen: Locale): void {
  locale = chosen;
  tickets.speak(chosen);
  document.documentElement.lang = chosen;
  for (const target of document.querySelectorAll<HTMLElement>('[data-text]')) {
    target.textContent = say(chosen, target.dataset.text as Key);
  }
  for (const target of document.querySelectorAll<HTMLElement>('[data-label]')) {
    target.setAttribute('aria-label', say(chosen, target.dataset.label as Key));
  }
  for (const button of document.querySelectorAll<HTMLElement>('[data-locale]')) {
    button.setAttribute('aria-pressed', String(button.dataset.locale === chosen));
  }
  showRoom();
  showControls();
  chat?.speak(chosen);
}

/** Calls back when the browser has put a picture of the current source on the screen. */
function oncePictured(then: () => void): void {
  if ('requestVideoFrameCallback' in video) video.requestVideoFrameCallback(() => then());
  else (video as HTMLVideoElement).addEventListener('timeupdate', () => then(), { once: true });
}

const viewer = new Viewer(
  name,
  (stream) => {
    if (video.srcObject === stream) return;
    video.srcObject = stream;
    oncePictured(() => {
      if (firstPictureMs === undefined) {
        firstPictureMs = performance.now();
        performance.mark('streamcore-first-picture');
      }
      viewer.onPicture();
    });
    startPlaying();
  },
  (next) => {
    view = next;
    showScene();
  },
  rememberedPass(name),
);

function startPlaying(): void {
  if (paused) return;
  video.play().catch((error: unknown) => {
    // Sound that the person did not ask for in this visit is refused: go on without it.
    if (error instanceof DOMException && error.name === 'NotAllowedError' && !video.muted) {
      video.muted = true;
      startPlaying();
    }
  });
}

function setMuted(muted: boolean): void {
  video.muted = muted;
  if (!muted && video.volume === 0) video.volume = 1;
}

function togglePause(): void {
  paused = !paused;
  viewer.setPaused(paused);
  if (paused) video.pause();
  else startPlaying();
  showControls();
}

function toggleFull(): void {
  if (document.fullscreenElement) {
    void document.exitFullscreen();
  } else if (screen.requestFullscreen) {
    screen.requestFullscreen().catch(() => {
      // Refused by the system or the page that embeds this one: the picture stays where it is.
    });
  } else {
    // Safari on iPhone lets only the video itself fill the screen.
    (video as HTMLVideoElement & { webkitEnterFullscreen?: () => void }).webkitEnterFullscreen?.();
  }
}

unmute.addEventListener('click', () => {
  setMuted(false);
  startPlaying();
  mute.focus();
});
play.addEventListener('click', togglePause);
mute.addEventListener('click', () => setMuted(!video.muted));
full.addEventListener('click', toggleFull);
volume.addEventListener('input', () => {
  video.volume = Number(volume.value) / 100;
  video.muted = video.volume === 0;
});
video.addEventListener('volumechange', showControls);
document.addEventListener('fullscreenchange', showControls);
video.addEventListener('resize', () => {
  // A portrait show gets a portrait frame.
  if (video.videoWidth > 0) page.style.setProperty('--aspect', String(video.videoWidth / video.videoHeight));
});

// Single keys work only while the player has the focus (WCAG 2.1.4), and never on a control that uses them itself.
player.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const onButton = event.target instanceof HTMLButtonElement;
  const onVolume = event.target === volume;
  const step = (by: number) => {
    video.volume = Math.min(1, Math.max(0, video.volume + by));
    video.muted = video.volume === 0;
  };
  if (event.key === 'k' || (event.key === ' ' && !onButton)) togglePause();
  else if (event.key === 'm') setMuted(!video.muted);
  else if (event.key === 'f') toggleFull();
  else if (event.key === 'ArrowUp' && !onVolume) step(0.05);
  else if (event.key === 'ArrowDown' && !onVolume) step(-0.05);
  else return;
  event.preventDefault();
});
screen.addEventListener('click', (event) => {
  if (event.target === video) player.focus();
});
for (const button of document.querySelectorAll<HTMLElement>('[data-locale]')) {
  button.addEventListener('click', () => {
    const chosen = pick(button.dataset.locale ?? null, []);
    remember(chosen);
    speak(chosen);
  });
}

speak(locale);
if ('RTCPeerConnection' in window) {
  viewer.start();
  follow(
    name,
    (next) => {
      room = next;
      showRoom();
      viewer.onRoom(next);
    },
    () => viewer.onReached(),
  );
  addEventListener('pagehide', () => viewer.leave());
  addEventListener('pageshow', (event) => {
    // Taken out of the browser's cache: the connection did not survive it.
    if (event.persisted && !paused) viewer.start();
  });
} else {
  view = { scene: 'unsupported' };
  showScene();
}

try {
  chat = startChat(name, locale, rememberedPass(name), () => viewer.needTicket());
} catch (error) {
  // The picture does not need the chat.
  element('chat').hidden = true;
  console.error('the chat could not be started', error);
}

tickets.start();

/** For tests and support: what a person would measure with a stopwatch. */
Object.assign(window, {
  __streamcore: {
    get firstPictureMs() {
      return firstPictureMs;
    },
    get sessions() {
      return viewer.sessions;
    },
    counters: () => viewer.counters(),
  },
});
