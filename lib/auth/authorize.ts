import { ServingError } from '../errors.ts';
import type { Principal } from './key.ts';
import { matchesAny } from './model-patterns.ts';

/** @throws ServingError AccessDeniedException when this key may not call this model */
export const authorizeInvoke = ({ id, models }: Principal, model: string): void => {
  if (matchesAny(model, models)) return;
  throw new ServingError(
    'AccessDeniedException',
    `key ${id} is not authorized to invoke model ${JSON.stringify(model.slice(0, 200))}: ask whoever issued it for one that is`,
  );
};
