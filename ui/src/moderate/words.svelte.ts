/** The moderators' words: their own catalogue and the chat's, in the language that was chosen. */
import en from '../../messages/en/moderate.json';
import fr from '../../messages/fr/moderate.json';
import { fill, sayChat, type ChatKey, type ChatLocale } from '../chat/says';
import { pick, remember, remembered } from '../watch/words';

export type Key = keyof typeof en;

const catalogues: Record<ChatLocale, Record<Key, string>> = { en, fr };

export const language = $state<{ current: ChatLocale }>({ current: pick(remembered(), navigator.languages) });

export function speak(locale: ChatLocale): void {
  language.current = locale;
  document.documentElement.lang = locale;
  remember(locale);
}

export function t(key: Key, blanks: Record<string, string> = {}): string {
  return fill(catalogues[language.current][key], blanks);
}

export function c(key: ChatKey, blanks: Record<string, string> = {}): string {
  return sayChat(language.current, key, blanks);
}

export function time(ms: number): string {
  const at = new Date(ms);
  const today = new Date().toDateString() === at.toDateString();
  const day: Intl.DateTimeFormatOptions = today ? {} : { day: 'numeric', month: 'short' };
  return new Intl.DateTimeFormat(language.current, { ...day, hour: 'numeric', minute: '2-digit' }).format(at);
}
