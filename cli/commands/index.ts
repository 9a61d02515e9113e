import type { CommandSpec } from '../command.ts';
import { completion } from './completion.ts';
import { describe } from './describe.ts';
import { invoke } from './invoke.ts';
import { createKey, listKeys, revokeKey } from './keys.ts';
import { logs } from './logs.ts';
import { ls } from './ls.ts';
import { change, copy, preload, rollback } from './manage.ts';
import { push } from './push.ts';
import { rm } from './rm.ts';
import { explain, workers } from './workers.ts';

/** In the order of the help. */
export const COMMANDS: readonly CommandSpec[] = [
  push,
  ls,
  describe,
  invoke,
  rm,
  copy,
  change,
  preload,
  rollback,
  createKey,
  listKeys,
  revokeKey,
  workers,
  explain,
  logs,
  completion,
];
