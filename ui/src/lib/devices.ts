/** Devices that stand for the system's own dialog: under Wayland it, and not the desk, shows what can be shared. */
import type { Device } from '$lib/protocol';

/** Whether opening this device may show a dialog to the person at the computer. */
export const asks = (id: string) => id.startsWith('portal:');

/** The entry of the list under which the choice `id` was made: ids of choices continue the entry's. */
export const isChoiceOf = (entry: Device, id: string) => asks(entry.id) && (id === entry.id || id.startsWith(`${entry.id}:`));

/** A choice that has not been made yet: the dialog opens for it. `now` tells it from all others. */
export const anew = (entry: Device, now = Date.now()) => `${entry.id}:${now.toString(36)}`;
