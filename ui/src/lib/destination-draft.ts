/** A destination as a form holds it, before the engine checks it. */
import type { Destination, DestinationDraft, DestinationKind } from './protocol';
import { m } from './paraglide/messages.js';

export type Kind = DestinationKind['kind'];

export const KINDS: { kind: Kind; icon: 'broadcast' | 'network' | 'record'; name: () => string; hint: () => string }[] = [
  { kind: 'stream_core', icon: 'broadcast', name: m.destination_streamcore, hint: m.destination_streamcore_hint },
  { kind: 'rtmp', icon: 'network', name: m.destination_rtmp, hint: m.destination_rtmp_hint },
  { kind: 'recording', icon: 'record', name: m.destination_recording, hint: m.destination_recording_hint },
];

export const iconOf = (kind: Kind) => KINDS.find((k) => k.kind === kind)?.icon ?? 'network';
export const nameOf = (kind: Kind): string => KINDS.find((k) => k.kind === kind)?.name() ?? kind;

export interface Draft {
  name: string;
  kind: Kind;
  room: string;
  url: string;
  key: string;
  folder: string;
  container: 'mp4' | 'mkv';
  split: number | null;
}

export const emptyDraft = (kind: Kind): Draft => ({
  name: nameOf(kind),
  kind,
  room: 'live',
  url: '',
  key: '',
  folder: '',
  container: 'mp4',
  split: null,
});

export function draftOf({ name, kind }: Destination): Draft {
  const draft = { ...emptyDraft(kind.kind), name };
  if (kind.kind === 'stream_core') draft.room = kind.room;
  else if (kind.kind === 'rtmp') draft.url = kind.url;
  else Object.assign(draft, { folder: kind.folder ?? '', container: kind.container, split: kind.split_minutes });
  return draft;
}

/** What platforms hand out ends with the key; it is taken apart as the engine does, so that it never stands in an address. */
export function splitKey(address: string): { url: string; key: string | undefined } {
  const hit = /^(rtmps?:\/\/[^/]+\/.+)\/([^/]+)$/i.exec(address.trim());
  return hit ? { url: hit[1] ?? '', key: hit[2] } : { url: address.trim(), key: undefined };
}

export const complete = (draft: Draft): boolean =>
  draft.name.trim() !== '' &&
  (draft.kind !== 'rtmp' || /^rtmps?:\/\/[^/]+\/./i.test(draft.url.trim())) &&
  (draft.kind !== 'stream_core' || /^[\w-]{1,64}$/.test(draft.room));

/** What the engine is asked; the key travels beside it and only when one was typed. */
export function toAsk(draft: Draft): { draft: DestinationDraft; key: string | null } {
  const name = draft.name.trim();
  if (draft.kind === 'stream_core') return { draft: { name, kind: { kind: 'stream_core', room: draft.room } }, key: null };
  if (draft.kind === 'recording') {
    const { container, split } = draft;
    return {
      draft: { name, kind: { kind: 'recording', folder: draft.folder.trim() || null, container, split_minutes: split || null } },
      key: null,
    };
  }
  const typed = draft.key.trim();
  const apart = typed ? { url: draft.url.trim(), key: typed } : splitKey(draft.url);
  return {
    draft: { name, kind: { kind: 'rtmp', url: apart.url, has_key: apart.key !== undefined } },
    key: apart.key ?? null,
  };
}
