import { warmUp } from '../../lib/engines/registry.ts';

/**
 * Gets ready what a first call would wait for, in an environment that starts ahead of calls. Never throws: an error
 * while loading would make the whole allocation fail, while a first call can still say what is wrong.
 */
export const prepare = async (startsAhead: boolean): Promise<void> => {
  if (!startsAhead) return;
  await warmUp().catch(() => undefined);
};
