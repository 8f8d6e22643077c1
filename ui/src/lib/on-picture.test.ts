import { describe, expect, it } from 'vitest';
import { deleted, overlayOf } from './on-picture.svelte';

const numbers = (...seqs: number[]) => seqs.map((seq) => ({ seq }));

describe('a message on the picture', () => {
  it('was deleted when the messages around it are there and it is not', () => {
    expect(deleted(5, numbers(3, 5, 8))).toBe(false);
    expect(deleted(5, numbers(3, 8))).toBe(true);
    expect(deleted(5, numbers(3))).toBe(true);
  });

  it('was not deleted when it is older than what is at hand', () => {
    expect(deleted(5, numbers(6, 8))).toBe(false);
    expect(deleted(5, [])).toBe(false);
  });

  it('is cut to what an overlay takes, between characters', () => {
    const overlay = overlayOf({ seq: 7, author: { name: 'A\u0000da' }, text: `${'🎉'.repeat(600)}` });
    expect(overlay).toEqual({ kind: 'chat_message', message: 7, name: 'A da', text: '🎉'.repeat(500) });
  });
});
