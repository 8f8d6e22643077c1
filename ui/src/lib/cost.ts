/** What an encode costs this computer, in words. Hardware is never measured; software is not yet, or cannot be. */
import { percent } from './format';
import { m } from './paraglide/messages.js';

interface Cost {
  hardware: boolean;
  cost_percent: number | null;
}

export const costOf = ({ hardware, cost_percent: cost }: Cost): string =>
  hardware ? m.cost_hardware() : cost === null ? m.cost_unmeasured() : m.cost_core({ percent: percent(cost) });

/** Of the encoder that a show would take. */
export const plannedOf = ({ name, hardware, cost_percent: cost }: Cost & { name: string }): string =>
  hardware ? m.encoder_planned_hardware({ name }) : cost === null ? m.encoder_planned_unmeasured({ name }) : m.encoder_planned({ name, percent: percent(cost) });
