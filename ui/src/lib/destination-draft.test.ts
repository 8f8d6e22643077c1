import { expect, it } from 'vitest';
import type { Destination } from './protocol';
import { complete, draftOf, emptyDraft, splitKey, toAsk } from './destination-draft';

it('takes the key off an address that ends with one', () => {
  expect(splitKey('rtmp://127.0.0.1/live/se-cret?x=1')).toEqual({ url: 'rtmp://127.0.0.1/live', key: 'se-cret?x=1' });
  expect(splitKey('rtmps://h:443/app')).toEqual({ url: 'rtmps://h:443/app', key: undefined });
});

it('sends a typed key beside the address, and the address as it stands', () => {
  const draft = { ...emptyDraft('rtmp'), name: 'A', url: 'rtmp://h/app/instance', key: ' k ' };
  expect(toAsk(draft)).toEqual({ draft: { name: 'A', kind: { kind: 'rtmp', url: 'rtmp://h/app/instance', has_key: true } }, key: 'k' });
});

it('never fills a key back in, and keeps the stored one when none is typed', () => {
  const stored: Destination = { id: 'd', name: 'A', enabled: true, kind: { kind: 'rtmp', url: 'rtmp://h/app', has_key: true } };
  expect(draftOf(stored).key).toBe('');
  expect(toAsk(draftOf(stored)).key).toBeNull();
});

it('knows what is not yet an address or a room', () => {
  expect(complete({ ...emptyDraft('rtmp'), name: 'A', url: 'http://x/y' })).toBe(false);
  expect(complete({ ...emptyDraft('rtmp'), name: 'A', url: 'rtmp://x/y' })).toBe(true);
  expect(complete({ ...emptyDraft('stream_core'), name: 'A', room: 'my room' })).toBe(false);
  expect(complete({ ...emptyDraft('stream_core'), name: '  ', room: 'a' })).toBe(false);
});
