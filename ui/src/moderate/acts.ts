/** What can be done with a message, each with the sentence that says it was done. */
import { sayWait } from '../chat/says';
import type { Message } from '../lib/protocol/chat';
import type { Moderation } from './moderation.svelte';
import { language, t } from './words.svelte';

export function acts(desk: Moderation, message: Message) {
  const { seq, author } = message;
  const name = author.name;
  const minutes = (count: number) => sayWait(language.current, count * 60_000);
  return {
    reply: () => {
      desk.replyTo = message;
      document.getElementById('moderate-text')?.focus();
    },
    pin: () => desk.act({ do: 'pin', message: seq }, t('moderate_done_pin', { name })),
    unpin: () => desk.act({ do: 'unpin' }, t('moderate_done_unpin')),
    remove: () => desk.act({ do: 'delete', message: seq }, t('moderate_done_delete', { name })),
    removeAll: () => desk.act({ do: 'delete_all_of', member: author.id }, t('moderate_done_delete_all', { name })),
    timeOut: (count: number) =>
      desk.act({ do: 'time_out', member: author.id, seconds: count * 60 }, t('moderate_done_time_out', { name, wait: minutes(count) })),
    ban: () => desk.act({ do: 'ban', member: author.id }, t('moderate_done_ban', { name })),
    forget: () => desk.act({ do: 'forget', member: author.id }, t('moderate_done_forget')),
    minutes,
    timeOutLabel: (count: number) => t('moderate_time_out_for', { wait: minutes(count) }),
  };
}
