/** Everything that a key or the command list can do on the desk. */
import type { Action } from '$lib/actions.svelte';
import type { Studio } from '$lib/engine/studio.svelte';
import { m } from '$lib/paraglide/messages.js';
import type { Placing } from '$lib/placing.svelte';
import type { Layout } from '../components/stage/layout.svelte';

type Dialog = 'settings' | 'keys' | 'palette' | 'add-source' | 'add-destination';

export function actionsOf(studio: Studio, placing: Placing, layout: Layout, show: (dialog: Dialog) => void, look: { products: () => void; overlays: () => void }): Action[] {
  const ask = (command: Parameters<Studio['try']>[0]) => () => void studio.try(command);
  const program = () => studio.state.program;
  const fade = () => {
    const { transition } = program();
    void studio.try({ do: 'take', transition: transition.kind === 'fade' ? transition : { kind: 'fade', ms: 500 } });
  };
  const scenes: Action[] = Array.from({ length: 9 }, (_, i) => ({
    id: `scene-${i + 1}`,
    title: () => m.action_scene({ name: studio.state.scenes[i]?.name ?? String(i + 1) }),
    keys: String(i + 1),
    able: () => studio.state.scenes[i] !== undefined,
    run: () => {
      const scene = studio.state.scenes[i];
      if (scene) void studio.try({ do: 'select_scene', scene: scene.id });
    },
  }));
  return [
    ...scenes,
    { id: 'fade', title: () => m.action_fade(), keys: 'Space', able: () => program().studio_mode, run: fade },
    { id: 'cut', title: () => m.action_cut(), keys: 'Enter', able: () => program().studio_mode, run: ask({ do: 'take', transition: { kind: 'cut' } }) },
    { id: 'studio-mode', title: () => m.studio_mode(), run: () => void studio.try({ do: 'set_studio_mode', on: !program().studio_mode }) },
    { id: 'beside', title: () => m.beside(), able: () => program().studio_mode, run: () => (layout.beside = !layout.beside) },
    { id: 'undo', title: () => m.undo(), keys: 'Ctrl Z', able: () => studio.state.history.undo, run: ask({ do: 'undo' }) },
    { id: 'redo', title: () => m.redo(), keys: 'Ctrl ⇧ Z', able: () => studio.state.history.redo, run: ask({ do: 'redo' }) },
    { id: 'full-screen', title: () => m.full_screen(), keys: 'F', run: layout.fullScreen },
    {
      id: 'take-out',
      title: () => m.source_take_out(),
      keys: 'Delete',
      able: () => studio.edited?.items.some((item) => item.id === placing.selected) ?? false,
      run: () => {
        const scene = studio.edited;
        if (scene && placing.selected) void studio.try({ do: 'remove_item', scene: scene.id, item: placing.selected });
      },
    },
    { id: 'add-source', title: () => m.source_add(), run: () => show('add-source') },
    { id: 'add-scene', title: () => m.scene_new(), run: () => void studio.try({ do: 'add_scene', draft: { name: m.scene_numbered({ number: studio.state.scenes.length + 1 }) } }) },
    { id: 'add-destination', title: () => m.destination_add(), run: () => show('add-destination') },
    { id: 'search-products', title: () => m.products_search(), keys: '/', run: look.products },
    {
      id: 'products-off',
      title: () => m.products_take_off(),
      able: () => studio.state.products.featured.length > 0,
      run: ask({ do: 'feature_products', products: [] }),
    },
    { id: 'overlays', title: () => m.overlays_setup(), run: look.overlays },
    {
      id: 'overlays-off',
      title: () => m.overlays_off(),
      able: () => studio.state.overlays.prepared.some((one) => one.shown),
      run: () => {
        for (const { overlay, shown } of studio.state.overlays.prepared) if (shown) void studio.try({ do: 'hide_overlay', overlay: overlay.kind });
      },
    },
    { id: 'settings', title: () => m.settings_title(), run: () => show('settings') },
    { id: 'mute-master', title: () => m.action_mute_master(), run: () => void studio.try({ do: 'set_master', gain: program().master_gain, muted: !program().master_muted }) },
    { id: 'palette', title: () => m.palette_title(), keys: 'Ctrl K', run: () => show('palette') },
    { id: 'keys', title: () => m.keys_title(), keys: '?', run: () => show('keys') },
  ];
}
