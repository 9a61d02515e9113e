import type { CallNotes } from '../../functions/inference/call-notes.ts';

/** Notes that nobody reads. */
export const quietNotes: CallNotes = { note: () => undefined, settle: async () => undefined };
