/** What host and moderators read of polls, questions, giveaways and raids, in the language that was chosen. */
import en from '../../../messages/en/engaging.json';
import fr from '../../../messages/fr/engaging.json';
import { fill, type ChatLocale } from '../../chat/says';
import type { EngageAct } from '../../lib/protocol/chat';
import { language } from '../words.svelte';

type Key = keyof typeof en;

const catalogues: Record<ChatLocale, Record<Key, string>> = { en, fr };

export function e(key: Key, blanks: Record<string, string> = {}): string {
  return fill(catalogues[language.current][key], blanks);
}

const named = (act: EngageAct) => (act.do === 'take_questions' && !act.on ? 'stop_questions' : act.do);

/** That it was just done. */
export const done = (act: EngageAct): string => e(`engaging_done_${named(act)}`);

/** That it was done, in the log. */
export const logged = (act: EngageAct, name: string): string => e(`engaging_log_${named(act)}`, { name });

export const figures = (count: number): string => new Intl.NumberFormat(language.current).format(count);
