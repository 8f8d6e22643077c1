/** After a show: what was saved, and where. */
import type { Studio } from '$lib/engine/studio.svelte';
import { bytes } from '$lib/format';
import { folderOf } from '$lib/media-files';
import { m } from '$lib/paraglide/messages.js';
import { SavedFiles, type Saved } from '$lib/saved';

/** One file by its path; several by their folder, where they stand side by side. */
const words = ({ path, count, bytes: size }: Saved) =>
  count > 1 ? m.ended_saved_parts({ count, folder: folderOf(path), size: bytes(size) }) : m.ended_saved({ path, size: bytes(size) });

export function sayWhatWasSaved(studio: Studio) {
  let was = 'off_air';
  // Kept from the show itself: off air the engine has no outputs, and so no files to name.
  const files = new SavedFiles();
  $effect(() => files.take(studio.state.outputs));
  $effect(() => {
    const phase = studio.state.show.phase.phase;
    const ended = phase === 'off_air' && (was === 'live' || was === 'recovering' || was === 'ending');
    was = phase;
    if (!ended) return;
    const saved = files.end();
    studio.say({
      words: () => ({ title: m.ended_title(), hint: saved.length > 0 ? saved.map(words).join(' ') : m.ended_nothing_saved() }),
    });
  });
}
