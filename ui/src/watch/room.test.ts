import { describe, expect, it } from 'vitest';
import { read } from './room';

describe('what the server says of a room', () => {
  it('is taken when it is whole', () => {
    expect(read('{"room":"a","state":"live","title":"T","viewers":3,"since_ms":5}')).toEqual({
      state: 'live',
      title: 'T',
      viewers: 3,
      since_ms: 5,
    });
    expect(read('{"state":"starting_soon","title":"","viewers":0}')).toEqual({
      state: 'starting_soon',
      title: '',
      viewers: 0,
    });
  });

  it('is left when it is not', () => {
    for (const text of ['', 'null', '[]', '{"state":"paused","title":"","viewers":0}', '{"state":"live","viewers":1}']) {
      expect(read(text)).toBeUndefined();
    }
  });
});
