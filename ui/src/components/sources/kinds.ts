/** What the desk knows about each kind of source: its icon, its name, its first settings. */
import { m } from '$lib/paraglide/messages.js';
import type { DeviceKind, SourceKind, SourceSettings } from '$lib/protocol';
import type { IconName } from '../shared/icons';

export const KINDS: { kind: SourceKind; icon: IconName; name: () => string }[] = [
  { kind: 'camera', icon: 'camera', name: m.kind_camera },
  { kind: 'screen', icon: 'screen', name: m.kind_screen },
  { kind: 'window', icon: 'window', name: m.kind_window },
  { kind: 'microphone', icon: 'mic', name: m.kind_microphone },
  { kind: 'desktop_audio', icon: 'speaker', name: m.kind_desktop_audio },
  { kind: 'file', icon: 'film', name: m.kind_file },
  { kind: 'image', icon: 'image', name: m.kind_image },
  { kind: 'text', icon: 'text', name: m.kind_text },
  { kind: 'colour', icon: 'colour', name: m.kind_colour },
  { kind: 'test_card', icon: 'card', name: m.kind_test_card },
];

export const iconOf = (kind: SourceKind): IconName => KINDS.find((k) => k.kind === kind)?.icon ?? 'image';
export const nameOf = (kind: SourceKind): string => KINDS.find((k) => k.kind === kind)?.name() ?? kind;

/** Kinds that stand for a device of the computer. */
export const deviceKind = (kind: SourceKind): DeviceKind | undefined =>
  kind === 'camera' || kind === 'microphone' || kind === 'desktop_audio' || kind === 'screen' || kind === 'window'
    ? kind
    : undefined;

export const pictures = (kind: SourceKind) => kind !== 'microphone' && kind !== 'desktop_audio';

export function firstSettings(kind: SourceKind): SourceSettings {
  switch (kind) {
    case 'camera':
    case 'microphone':
    case 'desktop_audio':
      return { kind, device: null };
    case 'screen':
      return { kind, device: null, cursor: true };
    case 'window':
      return { kind, device: '', cursor: true };
    case 'file':
      return { kind, path: '', looping: true };
    case 'image':
      return { kind, path: '' };
    case 'text':
      return { kind, text: '', font: 'Inter', size: 96, bold: true, colour: '#ffffff', outline: '#000000', outline_width: 0, scroll: 0 };
    case 'colour':
      return { kind, colour: '#1b2140' };
    case 'test_card':
      return { kind, tone_hz: 440 };
  }
}

/** Whether the form holds enough to ask the engine. */
export function complete(settings: SourceSettings): boolean {
  switch (settings.kind) {
    case 'window':
      return settings.device !== '';
    case 'file':
    case 'image':
      return settings.path.trim() !== '';
    case 'text':
      return settings.text.trim() !== '';
    default:
      return true;
  }
}
