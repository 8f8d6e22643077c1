/** After a show: what was saved, and where. */
import type { Studio } from '$lib/engine/studio.svelte';
import { bytes } from '$lib/format';
import { m } from '$lib/paraglide/messages.js';
import type { RecordingStatus } from '$lib/protocol';

export function sayWhatWasSaved(studio: Studio) {
  let was = 'off_air';
  // Kept from the show itself: off air the engine has no outputs, and so no files to name.
  let files: RecordingStatus[] = [];
  $effect(() => {
    const now = studio.state.outputs.flatMap((output) => output.recording ?? []);
    if (now.length > 0) files = now;
  });
  $effect(() => {
    const phase = studio.state.show.phase.phase;
    const ended = phase === 'off_air' && (was === 'live' || was === 'recovering' || was === 'ending');
    was = phase;
    if (!ended) return;
    const saved = files;
    files = [];
    studio.say({
      words: () => ({
        title: m.ended_title(),
        hint: saved.length > 0 ? saved.map((file) => m.ended_saved({ path: file.path, size: bytes(file.bytes) })).join(' ') : m.ended_nothing_saved(),
      }),
    });
  });
}
