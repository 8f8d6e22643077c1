/** What every component of the desk looks at: the projection, the link to the engine, and the way to ask it. */
import { createContext } from 'svelte';
import type { Host } from '$lib/host/host';
import type { Command, Reply, Scene, Source, SourceStatus, State, UserError, Watch } from '$lib/protocol';
import { CommandError, Connection, type LinkPhase } from './connection';
import { MeterBoard } from './meters';
import { PictureBoard } from './pictures';

/** A word to the host near the top of the desk: an error of a command, or what came of the show. */
export interface Notice {
  id: number;
  error?: UserError;
  /** For what is no error: read at every change of language. */
  words?: () => { title: string; hint: string };
}

const MOST_NOTICES = 3;

export class Studio {
  readonly pictures = new PictureBoard();
  readonly meters = new MeterBoard();
  readonly host: Host;
  /** `undefined` until the first welcome; kept through a lost connection, so that the desk stays. */
  snapshot = $state.raw<State | undefined>();
  link = $state.raw<LinkPhase>({ phase: 'connecting' });
  engineVersion = $state('');
  notices = $state.raw<Notice[]>([]);
  /** Read aloud, politely: where a thing went that was moved by keyboard. */
  spoken = $state('');
  #connection: Connection;
  #nextNotice = 1;
  #nextGesture = 1;

  constructor(host: Host) {
    this.host = host;
    this.#connection = new Connection({
      engine: () => host.engine(),
      open: (url) => new WebSocket(url),
      onState: (state) => (this.snapshot = state),
      onLink: (link) => (this.link = link),
      onEngine: (version) => (this.engineVersion = version),
      onMeters: (meters) => this.meters.take(meters),
      onPicture: (message) => this.pictures.take(message),
    });
  }

  start() {
    this.#connection.start();
  }

  /** Begins again after a refusal, with an engine that the host tries anew. */
  async startAgain() {
    await this.host.retryEngine?.();
    this.#connection.start();
  }

  /** The state; only for components that are shown once there is one. */
  get state(): State {
    if (!this.snapshot) throw new Error('the desk is shown before the welcome');
    return this.snapshot;
  }

  readonly onAir = $derived(this.snapshot !== undefined && this.snapshot.show.phase.phase !== 'off_air');
  /** The scene that is edited: the next one in studio mode, else the one on air. */
  readonly edited: Scene | undefined = $derived.by(() => {
    const state = this.snapshot;
    if (!state) return undefined;
    const id = state.program.studio_mode ? state.program.preview : state.program.program;
    return state.scenes.find((scene) => scene.id === id);
  });
  readonly sources: Map<string, Source> = $derived(
    new Map((this.snapshot?.sources ?? []).map((source) => [source.id, source])),
  );
  readonly statuses: Map<string, SourceStatus> = $derived(
    new Map((this.snapshot?.source_status ?? []).map((status) => [status.id, status])),
  );

  /** Asks the engine; rejects with a {@link CommandError}. For forms, which show the error themselves. */
  do(command: Command): Promise<Reply> {
    return this.#connection.do(command);
  }

  /** Asks the engine; what fails is said near the top of the desk. */
  async try(command: Command): Promise<Reply | undefined> {
    try {
      return await this.do(command);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      this.say({ error: error.user });
      return undefined;
    }
  }

  watch(watch: Watch) {
    this.#connection.watch(watch);
  }

  /** A number for the commands of one drag; they are undone together. */
  gesture(): number {
    return this.#nextGesture++;
  }

  say(notice: Omit<Notice, 'id'>) {
    // The same trouble twice is still one notice.
    const others = this.notices.filter((n) => !n.error || n.error.code !== notice.error?.code);
    this.notices = [...others, { ...notice, id: this.#nextNotice++ }].slice(-MOST_NOTICES);
  }

  dismiss(id: number) {
    this.notices = this.notices.filter((notice) => notice.id !== id);
  }
}

export const [useStudio, provideStudio] = createContext<Studio>();
