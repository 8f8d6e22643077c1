/** The language that is shown: the person's choice, else the system's, changed live. */
import { overwriteGetLocale, type Locale } from './paraglide/runtime.js';

const KEY = 'studio.locale';
const known = (tag: string | null | undefined): Locale | undefined => {
  const language = tag?.toLowerCase().split('-')[0];
  return language === 'en' || language === 'fr' ? language : undefined;
};

function chosen(): Locale | undefined {
  try {
    return known(localStorage.getItem(KEY));
  } catch {
    return undefined; // Storage can be closed to a page; then the system decides.
  }
}

function systems(): Locale {
  for (const tag of navigator.languages ?? [navigator.language]) {
    const locale = known(tag);
    if (locale) return locale;
  }
  return 'en';
}

class Language {
  current = $state<Locale>(chosen() ?? systems());

  constructor() {
    // Messages ask this at every call; because it reads state, whatever shows one follows a change.
    overwriteGetLocale(() => this.current);
    document.documentElement.lang = this.current;
  }

  choose(locale: Locale) {
    this.current = locale;
    document.documentElement.lang = locale;
    try {
      localStorage.setItem(KEY, locale);
    } catch {
      // The choice then lasts as long as the page.
    }
  }
}

export const language = new Language();
