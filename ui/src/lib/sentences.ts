/** Errors and troubles as sentences, from the catalogues. */
import type { HealthIssue, UserError } from './protocol';
import * as catalogue from './paraglide/messages.js';

type Message = (values: Record<string, string>) => string;
const messages = catalogue.m as unknown as Record<string, Message | undefined>;

// A sentence whose value is missing still reads.
const complete = (params: Record<string, string | undefined>): Record<string, string> =>
  new Proxy(params, { get: (values, name) => values[String(name)] ?? '…' }) as Record<string, string>;

/** What happened, and what to do next. A code of a newer engine falls back to a general sentence. */
export function sentence(error: UserError): { title: string; hint: string } {
  const params = complete(error.params);
  const title = messages[`error_${error.code}_title`];
  const hint = messages[`error_${error.code}_hint`];
  return {
    title: title ? title(params) : catalogue.m.error_unknown_title(),
    hint: hint ? hint(params) : catalogue.m.error_unknown_hint({ code: error.code }),
  };
}

/** One trouble, with the names of what it is about. */
export function healthSentence(issue: HealthIssue, names: { source?: string; destination?: string }): string {
  const message = messages[`health_${issue.code}`];
  if (!message) return catalogue.m.health_unknown({ code: issue.code });
  return message(complete({ ...issue.params, ...dropEmpty(names) }));
}

const dropEmpty = (names: Record<string, string | undefined>) =>
  Object.fromEntries(Object.entries(names).filter(([, name]) => name));
