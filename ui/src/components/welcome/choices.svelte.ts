/** What the first-run steps gather, and how it becomes commands. */
import type { Studio } from '$lib/engine/studio.svelte';
import { fileName } from '$lib/media-files';
import { WHOLE } from '$lib/placements';
import type { Destination, Device, SourceDraft } from '$lib/protocol';
import { m } from '$lib/paraglide/messages.js';
import { draftOf, emptyDraft, toAsk, type Draft, type Kind } from '$lib/destination-draft';

/** Where a picture goes that comes after the first: small, in a corner that the devices' own leave free. */
const CORNER = { x: 0.03, y: 0.67, width: 0.3, height: 0.3 };

export class Choices {
  step = $state(1);
  /** Devices in the order in which they were chosen; the first picture fills the canvas. */
  devices = $state<string[]>([]);
  testCard = $state(false);
  file = $state('');
  withFile = $state(false);
  streamcore: boolean;
  rtmp: boolean;
  recording: boolean;
  server: Draft;
  disk: Draft;

  constructor(destinations: Destination[]) {
    // What stands there already is where the steps begin: a fresh studio has StreamCore and a recording.
    const have = (kind: Kind) => destinations.find((destination) => destination.kind.kind === kind);
    const draft = (kind: Kind) => {
      const destination = have(kind);
      return destination ? draftOf(destination) : emptyDraft(kind);
    };
    this.streamcore = $state(have('stream_core')?.enabled ?? true);
    this.rtmp = $state(have('rtmp')?.enabled ?? false);
    this.recording = $state(have('recording')?.enabled ?? false);
    this.server = $state(draft('rtmp'));
    this.disk = $state(draft('recording'));
  }

  toggle(device: string) {
    this.devices = this.devices.includes(device) ? this.devices.filter((id) => id !== device) : [...this.devices, device];
  }

  readonly hasFile = $derived(this.withFile && this.file.trim() !== '');

  /** Whether anything can be seen. */
  seen(devices: Device[]): boolean {
    const pictures = new Set(devices.filter((d) => d.kind !== 'microphone' && d.kind !== 'desktop_audio').map((d) => d.id));
    return this.testCard || this.hasFile || this.devices.some((id) => pictures.has(id));
  }

  /** Tells the engine, in an order in which a failure leaves nothing half done that a second try would double. */
  async apply(studio: Studio) {
    const { state } = studio;
    await this.#destinations(studio);
    // Cameras are let go before sources open them: most can be open only once.
    await studio.do({ do: 'audition', on: false });
    const scene = state.program.program;
    const used = this.devices.some((id) => {
      const kind = state.devices.find((device) => device.id === id)?.kind;
      return kind !== undefined && kind !== 'microphone' && kind !== 'desktop_audio';
    });
    if (this.devices.length > 0) {
      await studio.do({ do: 'use_devices', devices: $state.snapshot(this.devices) });
      this.devices = [];
    }
    const film = this.hasFile;
    if (film) {
      const path = this.file.trim();
      const name = fileName(path).slice(0, 60);
      await this.#add(studio, scene, { name, settings: { kind: 'file', path, looping: true } }, used);
      this.withFile = false;
    }
    if (this.testCard) {
      await this.#add(studio, scene, { name: m.kind_test_card(), settings: { kind: 'test_card', tone_hz: 440 } }, used || film);
      this.testCard = false;
    }
    await studio.do({ do: 'set_settings', settings: { ...studio.state.settings, welcomed: true } });
  }

  async #add(studio: Studio, scene: string, draft: SourceDraft, small: boolean) {
    await studio.do({ do: 'add_source', draft, scene, placement: small ? { ...WHOLE, ...CORNER } : null });
  }

  async #destinations(studio: Studio) {
    const have = (kind: string) => studio.state.destinations.find((destination) => destination.kind.kind === kind);
    for (const [kind, wanted, draft] of [
      ['stream_core', this.streamcore, emptyDraft('stream_core')],
      ['rtmp', this.rtmp, this.server],
      ['recording', this.recording, this.disk],
    ] as const) {
      let existing = have(kind);
      if (!wanted) {
        if (existing?.enabled) await studio.do({ do: 'enable_destination', destination: existing.id, on: false });
        continue;
      }
      const asked = toAsk($state.snapshot(draft));
      if (existing && kind !== 'stream_core') await studio.do({ do: 'change_destination', destination: existing.id, ...asked });
      if (!existing) {
        const reply = await studio.do({ do: 'add_destination', ...asked });
        existing = reply.reply === 'destination' ? studio.state.destinations.find((d) => d.id === reply.id) : undefined;
      }
      if (existing && !existing.enabled) await studio.do({ do: 'enable_destination', destination: existing.id, on: true });
    }
  }
}
