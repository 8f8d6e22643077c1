/** What the engine says to a page of overlays. Generated nowhere: the page reads this and nothing else. */
export interface Shown {
  kind: string;
  x: number;
  y: number;
  width: number;
  height: number;
  /** It comes from so many pixels below, and goes there; from above when negative. */
  slide: number;
  words: string;
  /** Left out when it is the one that was sent last for this kind. */
  picture?: string;
}

export type Said = { type: 'overlays'; width: number; height: number; shown: Shown[] } | { type: 'refused' };

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 4000;

/** Tells what lies over the picture, and begins again when the engine was away. */
export function follow(address: string, token: string, on: (said: Said) => void): void {
  let wait = FIRST_WAIT_MS;
  let refused = false;
  const open = () => {
    const socket = new WebSocket(address);
    socket.onopen = () => socket.send(JSON.stringify({ token }));
    socket.onmessage = ({ data }: { data: string }) => {
      wait = FIRST_WAIT_MS;
      const said = JSON.parse(data) as Said;
      refused ||= said.type === 'refused';
      on(said);
    };
    socket.onclose = () => {
      if (refused) return;
      setTimeout(open, wait);
      wait = Math.min(LONGEST_WAIT_MS, wait * 2);
    };
  };
  open();
}
