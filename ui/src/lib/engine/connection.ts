/** The one WebSocket to the engine: greeting, events without a gap, numbered commands, reconnection. */
import type { EngineAddress } from '$lib/host/host';
import type { Command, Meters, Reply, ServerMessage, State, UserError, Watch } from '$lib/protocol';
import { Gap, Projection } from './projection';

/** Version of the messages; the engine refuses a desk of another one. */
export const PROTOCOL_VERSION = 1;

/** First wait before a lost connection is tried again, and the longest. A restarted engine is there in a second. */
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 4000;

export type LinkPhase =
  | { phase: 'connecting' }
  | { phase: 'open' }
  | { phase: 'lost'; attempt: number; error?: UserError }
  | { phase: 'refused'; error: UserError };

/** A command that was not done. */
export class CommandError extends Error {
  constructor(readonly user: UserError) {
    super(user.code);
  }
}

/** As much of a WebSocket as is needed; tests bring their own. */
export interface Socket {
  binaryType: string;
  onopen: ((event: never) => unknown) | null;
  onmessage: ((event: any) => unknown) | null;
  onclose: ((event: never) => unknown) | null;
  send(text: string): void;
  close(): void;
}

export interface ConnectionOptions {
  engine(): Promise<EngineAddress>;
  open(url: string): Socket;
  onState(state: State): void;
  onLink(link: LinkPhase): void;
  onEngine(version: string): void;
  onMeters(meters: Meters): void;
  onPicture(message: ArrayBuffer): void;
}

/** The control WebSocket of an engine's HTTP address. */
export const controlUrl = (address: string) => `${address.replace(/^http/, 'ws').replace(/\/+$/, '')}/control`;

/** How long to wait before a try, in milliseconds: twice as long each time, up to a cap. */
export const waitBefore = (attempt: number) => Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt - 1));

const lost = (): UserError => ({ code: 'connection_lost', params: { host: 'studio-engine' }, severity: 'warning', retry_after_ms: null });

const userError = (reason: unknown): UserError | undefined =>
  typeof reason === 'object' && reason !== null && 'code' in reason && 'params' in reason ? (reason as UserError) : undefined;

export class Connection {
  #options: ConnectionOptions;
  #socket: Socket | undefined;
  #projection: Projection | undefined;
  #pending = new Map<number, { resolve: (reply: Reply) => void; reject: (error: CommandError) => void }>();
  #nextId = 1;
  #attempt = 0;
  #watch: Watch = { program: false, preview: false, thumbnails: false, meters: false };
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** Begins, or begins again after a refusal. */
  start() {
    this.#closed = false;
    this.#options.onLink({ phase: 'connecting' });
    void this.#connect();
  }

  stop() {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#drop();
  }

  /** Asks the engine to do something. Rejects with a {@link CommandError}. */
  do(command: Command): Promise<Reply> {
    const socket = this.#socket;
    if (!socket || !this.#projection) return Promise.reject(new CommandError(lost()));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      socket.send(JSON.stringify({ type: 'command', id, command }));
    });
  }

  /** Which streams this desk wants; said again after every reconnection. */
  watch(watch: Watch) {
    this.#watch = watch;
    if (this.#projection) this.#socket?.send(JSON.stringify({ type: 'watch', ...watch }));
  }

  async #connect() {
    let engine: EngineAddress;
    try {
      engine = await this.#options.engine();
    } catch (reason) {
      const error = userError(reason);
      if (error && error.retry_after_ms === null) {
        this.#closed = true;
        this.#options.onLink({ phase: 'refused', error });
      } else {
        this.#again(error); // The window's shell is still starting the engine.
      }
      return;
    }
    if (this.#closed) return;
    let socket: Socket;
    try {
      socket = this.#options.open(controlUrl(engine.address));
    } catch {
      this.#again();
      return;
    }
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () =>
      socket.send(JSON.stringify({ type: 'hello', version: PROTOCOL_VERSION, token: engine.token }));
    socket.onmessage = ({ data }: { data: unknown }) => {
      if (socket !== this.#socket) return;
      if (typeof data === 'string') this.#onText(data);
      else if (data instanceof ArrayBuffer) this.#options.onPicture(data);
    };
    socket.onclose = () => {
      if (socket === this.#socket) this.#onClose();
    };
  }

  #onText(text: string) {
    let message: ServerMessage;
    try {
      message = JSON.parse(text) as ServerMessage;
    } catch {
      this.#onClose(); // Not the engine's language; a new start is the only way to know where we are.
      return;
    }
    switch (message.type) {
      case 'welcome':
        this.#projection = new Projection(message.state, message.revision);
        this.#attempt = 0;
        this.#options.onEngine(message.engine);
        this.#options.onState(message.state);
        this.#options.onLink({ phase: 'open' });
        this.watch(this.#watch);
        break;
      case 'refused':
        this.#closed = true;
        this.#drop();
        this.#options.onLink({ phase: 'refused', error: message.error });
        break;
      case 'event':
        try {
          const state = this.#projection?.apply(message.revision, message.event);
          if (state) this.#options.onState(state);
        } catch (error) {
          if (!(error instanceof Gap)) throw error;
          this.#onClose();
        }
        break;
      case 'done':
        this.#pending.get(message.id)?.resolve(message.reply);
        this.#pending.delete(message.id);
        break;
      case 'failed':
        this.#pending.get(message.id)?.reject(new CommandError(message.error));
        this.#pending.delete(message.id);
        break;
      case 'meters':
        this.#options.onMeters(message);
        break;
    }
  }

  #onClose() {
    this.#drop();
    if (!this.#closed) this.#again();
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#projection = undefined;
    socket?.close();
    for (const { reject } of this.#pending.values()) reject(new CommandError(lost()));
    this.#pending.clear();
  }

  #again(error?: UserError) {
    this.#attempt += 1;
    this.#options.onLink({ phase: 'lost', attempt: this.#attempt, ...(error && { error }) });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#connect(), waitBefore(this.#attempt));
  }
}
