// The real window, driven through tauri-driver and WebKitWebDriver (W3C WebDriver), with a data folder of its own.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import WebSocket from "ws";

const top = path.resolve(import.meta.dirname, "../..");
const bin = process.env.STUDIO_BIN ?? path.join(top, "target/debug");
const driver = process.env.STUDIO_TAURI_DRIVER ?? path.join(top, "target/studio-tools/bin/tauri-driver");
const artifacts = path.join(top, "tests/artifacts/window");

/** The key under which WebDriver keeps a reference to an element. */
const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";
/** WebDriver's code for the Enter key. */
const ENTER = "\uE007";

const catalogues = new Map();

/** The desk's message of a key, with its blanks filled in, as the window says it. */
export function say(key, blanks = {}, language = "en") {
  if (!catalogues.has(language)) {
    const folder = path.join(top, "ui/messages", language);
    const files = fs.readdirSync(folder).map((name) => JSON.parse(fs.readFileSync(path.join(folder, name), "utf8")));
    catalogues.set(language, Object.assign({}, ...files));
  }
  const message = catalogues.get(language)[key];
  if (typeof message !== "string") throw new Error(`no message ${key} in ${language}`);
  return message.replace(/\{(\w+)\}/g, (_, name) => blanks[name]);
}

/** A program that was built. */
export function program(name) {
  return path.join(bin, name);
}

/** The shell's own message of a key, in English. */
export function shellSays(key) {
  return JSON.parse(fs.readFileSync(path.join(top, "src-tauri/messages/en.json"), "utf8"))[key];
}

/** Does what WebDriver cannot: see hand.py. */
export function hand(...what) {
  const python = process.env.STUDIO_PYTHON ?? "python3";
  return execFileSync(python, [path.join(import.meta.dirname, "hand.py"), ...what], { encoding: "utf8" });
}

/** Titles of all windows on the screen. */
export function titles() {
  return hand("windows").split("\n");
}

/** Waits until `check` gives something true, and returns it; an error of its own only counts at the deadline. */
export async function until(what, check, withinMs = 15_000) {
  const deadline = Date.now() + withinMs;
  for (;;) {
    let last;
    try {
      const found = await check();
      if (found) return found;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`, { cause: last });
    await pause(50);
  }
}

/** A folder for one studio: its data, its home, its recordings. */
export class Home {
  constructor() {
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), "studio-window-"));
    this.data = path.join(this.folder, "data");
    this.windows = [];
  }

  /** The running engine, as it says itself; `undefined` while none runs. */
  engine() {
    try {
      return JSON.parse(fs.readFileSync(path.join(this.data, "engine.json"), "utf8"));
    } catch {
      return undefined;
    }
  }

  /** The engine's state, as a second desk sees it. */
  async state() {
    const { address, token } = this.engine();
    const socket = new WebSocket(`${address.replace("http", "ws")}/control`);
    try {
      await once(socket, "open");
      socket.send(JSON.stringify({ type: "hello", version: 1, token }));
      const [text] = await once(socket, "message");
      const message = JSON.parse(text);
      if (message.type !== "welcome") throw new Error(`no welcome: ${text}`);
      return message.state;
    } finally {
      socket.terminate();
    }
  }

  /** What a studio of this folder is started with. */
  environment() {
    return {
      ...process.env,
      HOME: this.folder,
      // GStreamer's registry of plugins takes seconds to make: the user's own will do.
      XDG_CACHE_HOME: process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), ".cache"),
      STUDIO_DATA_DIR: this.data,
      LC_ALL: "C.UTF-8",
      // Xvfb has no GPU: accelerated compositing draws nothing there.
      WEBKIT_DISABLE_COMPOSITING_MODE: "1",
    };
  }

  /** Starts the studio without a driver; `ended` gives its exit code. */
  start() {
    const studio = spawn(program("studio"), { stdio: "inherit", env: this.environment() });
    return { ended: once(studio, "exit").then(([code]) => code) };
  }

  /** Processes that were started for this folder, by the name of their program. */
  processes(name) {
    return fs
      .readdirSync("/proc")
      .filter((pid) => /^\d+$/.test(pid))
      .map(Number)
      .filter((pid) => {
        try {
          if (path.basename(fs.readlinkSync(`/proc/${pid}/exe`)) !== name) return false;
          return fs.readFileSync(`/proc/${pid}/environ`, "utf8").includes(`STUDIO_DATA_DIR=${this.data}\0`);
        } catch {
          return false; // It ended meanwhile, or is somebody else's.
        }
      });
  }

  /**
   * Environment of a system that speaks a locale such as fr_FR. WebKitGTK takes the page's language from the C
   * library, which knows only locales that were made on the machine: this makes one, for this folder alone.
   */
  locale(name) {
    const folder = path.join(this.folder, "locale");
    fs.mkdirSync(folder);
    execFileSync("localedef", ["--no-archive", "-i", name, "-f", "UTF-8", path.join(folder, `${name}.UTF-8`)]);
    return { LOCPATH: folder, LC_ALL: `${name}.UTF-8` };
  }

  /** What the engine wrote into its log. */
  log() {
    try {
      return fs.readFileSync(path.join(this.data, "logs/engine.log"), "utf8");
    } catch {
      return "";
    }
  }

  /** Kills this folder's processes of a name the hard way, and waits until they are gone. */
  async kill(name) {
    await until(`${name} is gone`, () => {
      const left = this.processes(name);
      for (const pid of left) {
        try {
          process.kill(pid, "SIGKILL");
        } catch (error) {
          if (error.code !== "ESRCH") throw error; // It ended by itself just now.
        }
      }
      return left.length === 0;
    });
  }

  /** Ends what still runs, and removes the folder. */
  async close() {
    for (const window of this.windows) await window.kill();
    // WebKit's processes outlive a killed window for a moment, and write into the folder.
    for (const name of ["studio-engine", "WebKitWebProcess", "WebKitNetworkProcess"]) {
      await this.kill(name);
    }
    fs.rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** One window and the driver that clicks in it. */
export class Window {
  static async open(home, environment = {}) {
    const window = new Window();
    window.home = home;
    home.windows.push(window);
    const [port, native] = await Promise.all([freePort(), freePort()]);
    window.base = `http://127.0.0.1:${port}`;
    window.driver = spawn(driver, ["--port", port, "--native-port", native], {
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...home.environment(), ...environment },
    });
    await until("both drivers listen", async () => (await connects(port)) && connects(native));
    const capabilities = { alwaysMatch: { "tauri:options": { application: program("studio") } } };
    const { sessionId } = await window.#call("POST", "/session", { capabilities });
    window.session = `/session/${sessionId}`;
    return window;
  }

  async #call(method, where, body) {
    const response = await fetch(this.base + where, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(30_000),
    });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`${method} ${where}: ${value?.error}: ${value?.message}`);
    return value;
  }

  /** The first element that a CSS selector finds, or an XPath when it begins with a slash. */
  async find(selector, withinMs) {
    const using = selector.startsWith("/") ? "xpath" : "css selector";
    return until(
      `${selector} is there`,
      async () => (await this.#call("POST", `${this.session}/element`, { using, value: selector }))[ELEMENT],
      withinMs,
    );
  }

  /** Clicks, as soon as the element is there and can be clicked. */
  async click(selector, withinMs) {
    await until(
      `${selector} can be clicked`,
      async () => {
        const element = await this.find(selector, 500);
        await this.#call("POST", `${this.session}/element/${element}/click`, {});
        return true;
      },
      withinMs,
    );
  }

  /** Types into an element. */
  async type(selector, text) {
    const element = await this.find(selector);
    await this.#call("POST", `${this.session}/element/${element}/value`, { text });
  }

  /** Presses Enter on an element. */
  async enter(selector) {
    await this.type(selector, ENTER);
  }

  /** Runs a function's body in the page. */
  run(script, ...args) {
    return this.#call("POST", `${this.session}/execute/sync`, { script, args });
  }

  /** All text of the page, as it is drawn. */
  text() {
    return this.run("return document.body.innerText");
  }

  /** Waits for the lamp to say a phase: off_air, going_live, live, recovering, ending. */
  lamp(phase, withinMs) {
    return this.find(`[data-phase="${phase}"]`, withinMs);
  }

  /** Keeps a picture of the screen for a person to look at. WebKitWebDriver's own hangs without compositing. */
  picture(name) {
    fs.mkdirSync(artifacts, { recursive: true });
    const grab = ["-f", "x11grab", "-i", process.env.DISPLAY, "-frames:v", "1", "-y", path.join(artifacts, `${name}.png`)];
    execFileSync("ffmpeg", ["-loglevel", "error", ...grab]);
  }

  /** Kills the window the hard way, and the driver after it. */
  async kill() {
    await this.home.kill("studio");
    await this.#endDriver();
  }

  /** Closes the session; WebDriver ends the window with it. */
  async close() {
    if (this.#driverGone()) return;
    await this.#call("DELETE", this.session).catch(() => {});
    await this.#endDriver();
  }

  #driverGone() {
    return this.driver.exitCode !== null || this.driver.signalCode !== null;
  }

  async #endDriver() {
    if (this.#driverGone()) return;
    const ended = once(this.driver, "exit");
    this.driver.kill();
    await ended;
  }
}

/** Does the first-run steps with the test card, to StreamCore and a recording, and goes live. */
export async function goLive(window) {
  await window.click('[data-choice="test-card"]', 30_000);
  await window.click(button(say("next")));
  // The link and the recording are chosen already.
  await window.find('[data-choice="recording"] [role="checkbox"][aria-checked="true"]');
  await window.click(button(say("next")));
  await window.click(button(say("go_live")));
  await window.lamp("live", 20_000);
}

/** Ends the show by keyboard: the button asks once. */
export async function endShow(window) {
  await window.enter(".btn-end");
  await window.enter(".btn-end");
  await window.lamp("off_air", 20_000);
}

/** What ffprobe finds in a file: codecs by kind of stream, and its length in seconds. */
export function probe(file) {
  const options = ["-v", "error", "-show_entries", "stream=codec_type,codec_name:format=duration", "-of", "json", file];
  const { streams, format } = JSON.parse(execFileSync("ffprobe", options, { encoding: "utf8" }));
  const codecs = Object.fromEntries(streams.map((stream) => [stream.codec_type, stream.codec_name]));
  return { codecs, seconds: Number(format.duration) };
}

/** A button by the message that it bears. */
export function button(message) {
  return `//button[contains(normalize-space(.), ${JSON.stringify(message)})]`;
}

async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return String(port);
}

function connects(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.on("connect", () => resolve(true)).on("error", () => resolve(false));
    socket.on("close", () => socket.destroy());
    socket.on("connect", () => socket.end());
  });
}
