/** What the tests of the viewer page share: programs that are started and ended, and what a picture looks like. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';

const top = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const target = process.env.STUDIO_BIN
  ? dirname(process.env.STUDIO_BIN)
  : (process.env.CARGO_TARGET_DIR ?? join(top, 'target'));

/** A program of this workspace; built now if the run of the Rust tests has not built it. */
function program(name: string, kind: 'bin' | 'example'): string {
  const path = join(target, 'debug', kind === 'example' ? 'examples' : '', name);
  if (!existsSync(path)) {
    const cargo = spawnSync('cargo', ['build', '--quiet', '--package', 'streamcore', `--${kind}`, name], {
      cwd: top,
      env: { ...process.env, CARGO_TARGET_DIR: target },
      stdio: 'inherit',
    });
    if (cargo.status !== 0) throw new Error(`cargo could not build ${name}`);
  }
  return path;
}

/** The test clip, 1280×720 at 25 frames a second. */
export function clip(): string {
  const name = 'bbb-720p25-51ch.mp4';
  const folders = [process.env.STUDIO_MEDIA, join(top, '../shared/media'), join(top, '../../shared/media')];
  const found = folders.find((folder) => folder !== undefined && existsSync(join(folder, name)));
  if (!found) throw new Error(`${name} is in none of ${folders.join(', ')}`);
  return join(found, name);
}

/** A child whose lines are read, and which never outlives its test. */
export class Program {
  readonly child: ChildProcess;
  private readonly lines: string[] = [];
  private wake: () => void = () => {};
  private ended = false;

  constructor(path: string, args: string[], env: Record<string, string> = {}) {
    this.child = spawn(path, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.child.stdout! }).on('line', (line) => {
      this.lines.push(line);
      this.wake();
    });
    this.child.on('exit', () => {
      this.ended = true;
      this.wake();
    });
  }

  /** The next line, within 20 s. */
  async line(): Promise<string> {
    const until = Date.now() + 20_000;
    while (this.lines.length === 0) {
      if (this.ended) throw new Error(`${this.child.spawnfile} ended without a word`);
      if (Date.now() > until) throw new Error(`${this.child.spawnfile} says nothing`);
      await new Promise<void>((done) => {
        this.wake = done;
        setTimeout(done, 100);
      });
    }
    return this.lines.shift()!;
  }

  say(text: string): void {
    this.child.stdin!.write(`${text}\n`);
  }

  /** Ends its input and waits for it to go; kills it if it does not. */
  async end(): Promise<void> {
    this.child.stdin!.end();
    const until = Date.now() + 5000;
    while (!this.ended && Date.now() < until) await new Promise((done) => setTimeout(done, 20));
    if (!this.ended) this.child.kill('SIGKILL');
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    while (!this.ended) await new Promise((done) => setTimeout(done, 10));
  }
}

/** A server with an in-process publisher. */
export class Show {
  private constructor(
    private readonly program: Program,
    readonly http: string,
    readonly media: string,
    readonly watch: string,
  ) {}

  static async start(title: string, addresses: string[] = [], file = clip()): Promise<Show> {
    const feed = new Program(program('feed', 'example'), [file, 'show', title, ...addresses]);
    const said = JSON.parse(await feed.line()) as { http: string; media: string; watch: string };
    return new Show(feed, said.http, said.media, said.watch);
  }

  async order(order: 'publish' | 'drop' | 'end'): Promise<void> {
    this.program.say(order);
    const { done } = JSON.parse(await this.program.line()) as { done: string };
    if (done !== order) throw new Error(`${order} was answered by ${done}`);
  }

  kill = () => this.program.kill();
  end = () => this.program.end();
}

/** `streamcore serve`, on free ports of loopback or on those of a server that was ended. */
export async function startServer(
  key: string,
  extra: string[] = [],
  http = '127.0.0.1:0',
  media = '127.0.0.1:0',
): Promise<{ program: Program; http: string; media: string }> {
  const args = ['serve', '--http', http, '--media', media, '--publish-key-env', 'WHIP_KEY', ...extra];
  const server = new Program(program('streamcore', 'bin'), args, { WHIP_KEY: key });
  const at = (await server.line()).split('http://')[1];
  if (!at) throw new Error('the server does not say its address');
  return { program: server, http: at, media };
}

/** aiortc, publishing the clip. */
export function startPublisher(http: string, room: string, key: string): Program {
  const python = process.env.STUDIO_PYTHON ?? join(target, 'studio-tools/python/bin/python');
  const script = fileURLToPath(new URL('publish.py', import.meta.url));
  return new Program(python, [script, `http://${http}/whip/${room}`, clip()], { WHIP_KEY: key });
}

/** Lets a page be asked what its peer connections count, and when pictures came on screen. */
export async function instrument(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const seen = { peers: [] as RTCPeerConnection[], gaps: [] as number[], pictures: 0, last: 0 };
    Object.assign(window, { seen });
    const Native = window.RTCPeerConnection;
    window.RTCPeerConnection = class extends Native {
      constructor(configuration?: RTCConfiguration) {
        super(configuration);
        seen.peers.push(this);
      }
    };
    document.addEventListener('DOMContentLoaded', () => {
      const video = document.querySelector('video');
      const onPicture = (now: number) => {
        if (seen.last > 0) seen.gaps.push(now - seen.last);
        seen.last = now;
        seen.pictures += 1;
        video?.requestVideoFrameCallback(onPicture);
      };
      video?.requestVideoFrameCallback(onPicture);
    });
  });
}

declare global {
  interface Window {
    seen: { peers: RTCPeerConnection[]; gaps: number[]; pictures: number; last: number };
    __streamcore: { firstPictureMs?: number; sessions: number };
  }
}

/** The scene that the page shows. */
export const scene = (page: Page) => page.locator('#page').getAttribute('data-scene');

/** Side lengths at which pictures are compared: small enough to be quick, large enough to tell frames apart. */
const WIDTH = 160;
const HEIGHT = 90;

/** The picture on screen now, in grey. */
export async function picture(page: Page): Promise<number[]> {
  return page.evaluate(
    ([width, height]) => {
      const canvas = document.createElement('canvas');
      [canvas.width, canvas.height] = [width!, height!];
      const context = canvas.getContext('2d', { willReadFrequently: true })!;
      context.imageSmoothingQuality = 'high';
      context.drawImage(document.querySelector('video')!, 0, 0, width!, height!);
      const { data } = context.getImageData(0, 0, width!, height!);
      const grey: number[] = [];
      for (let at = 0; at < data.length; at += 4) {
        grey.push(0.299 * data[at]! + 0.587 * data[at + 1]! + 0.114 * data[at + 2]!);
      }
      return grey;
    },
    [WIDTH, HEIGHT],
  );
}

/** Every frame of the clip, in grey, at the rate that is published. */
export function sourcePictures(fps: number): Uint8Array[] {
  const scale = `fps=${fps},scale=${WIDTH}:${HEIGHT}:flags=area,format=gray`;
  const args = ['-nostdin', '-loglevel', 'error', '-i', clip(), '-vf', `${scale}`, '-f', 'rawvideo', '-'];
  const made = spawnSync('ffmpeg', args, { maxBuffer: 1 << 28 });
  if (made.status !== 0) throw new Error(`ffmpeg: ${made.stderr}`);
  const size = WIDTH * HEIGHT;
  const count = Math.floor(made.stdout.length / size);
  return Array.from({ length: count }, (_, i) => made.stdout.subarray(i * size, (i + 1) * size));
}

/** Structural similarity (Wang 2004) in windows of 8×8: 1 for equal pictures, near 0 for unrelated ones. */
export function ssim(one: ArrayLike<number>, other: ArrayLike<number>): number {
  const [c1, c2] = [(0.01 * 255) ** 2, (0.03 * 255) ** 2];
  let sum = 0;
  let windows = 0;
  for (let y = 0; y + 8 <= HEIGHT; y += 8) {
    for (let x = 0; x + 8 <= WIDTH; x += 8) {
      let [a, b, aa, bb, ab] = [0, 0, 0, 0, 0];
      for (let j = y; j < y + 8; j++) {
        for (let i = x; i < x + 8; i++) {
          const [p, q] = [one[j * WIDTH + i]!, other[j * WIDTH + i]!];
          a += p;
          b += q;
          aa += p * p;
          bb += q * q;
          ab += p * q;
        }
      }
      const [ma, mb] = [a / 64, b / 64];
      const [va, vb, cov] = [aa / 64 - ma * ma, bb / 64 - mb * mb, ab / 64 - ma * mb];
      sum += ((2 * ma * mb + c1) * (2 * cov + c2)) / ((ma * ma + mb * mb + c1) * (va + vb + c2));
      windows++;
    }
  }
  return sum / windows;
}

/** The frame of the clip that a picture is most like. */
export function closest(grey: ArrayLike<number>, source: Uint8Array[]): { frame: number; ssim: number } {
  let best = { frame: -1, ssim: -1 };
  source.forEach((frame, index) => {
    const likeness = ssim(grey, frame);
    if (likeness > best.ssim) best = { frame: index, ssim: likeness };
  });
  return best;
}

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}
