/** Which placed source is in hand: selected on the picture and in the list alike. */
import { createContext } from 'svelte';

export class Placing {
  selected = $state<string | undefined>();
}

export const [usePlacing, providePlacing] = createContext<Placing>();
