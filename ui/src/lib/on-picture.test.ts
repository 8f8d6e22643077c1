import { describe, expect, it, vi } from 'vitest';
import type { Studio } from '$lib/engine/studio.svelte';
import type { Message } from '$lib/protocol/chat';
import { deleted, MessageOnPicture, overlayOf } from './on-picture.svelte';

const message = (seq: number, text = 'Bonsoir', name = 'Ada'): Message => ({
  seq,
  at_ms: 0,
  author: { id: name, name, role: 'viewer' },
  text,
});
const numbers = (...seqs: number[]) => seqs.map((seq) => message(seq));

describe('a message on the picture', () => {
  it('was deleted when messages before it are there and it is not', () => {
    expect(deleted(5, numbers(3, 5, 8))).toBe(false);
    expect(deleted(5, numbers(3, 8))).toBe(true);
    expect(deleted(5, numbers(3))).toBe(true);
  });

  it('was not deleted when it is older than what is at hand', () => {
    expect(deleted(5, numbers(6, 8))).toBe(false);
    expect(deleted(5, [])).toBe(false);
  });

  it('is cut to what an overlay takes, between characters', () => {
    const overlay = overlayOf(message(7, '🎉'.repeat(600), 'A\u0000da'));
    expect(overlay).toEqual({ kind: 'chat_message', message: 7, name: 'A da', text: '🎉'.repeat(500) });
  });

  it('leaves the picture with whatever deletes it, and with nothing else', () => {
    const asked = vi.fn();
    const prepared = [{ overlay: overlayOf(message(5)), shown: true }];
    const picture = new MessageOnPicture({ state: { overlays: { prepared } }, try: asked } as unknown as Studio);
    picture.gone(() => true);
    expect(asked, 'not seen in this chat').not.toHaveBeenCalled();
    picture.follow(numbers(5, 8));
    picture.gone((one) => one.seq === 8);
    picture.gone((one) => one.author.id === 'Bob');
    expect(asked).not.toHaveBeenCalled();
    picture.gone((one) => one.author.id === 'Ada');
    expect(asked).toHaveBeenCalledExactlyOnceWith({ do: 'hide_overlay', overlay: 'chat_message' });
  });
});
