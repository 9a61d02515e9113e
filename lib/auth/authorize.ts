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

/** Of a key whose models are not all: where inputs of its asynchronous calls have to be, below the deployment's bucket. */
export const inputFolderOf = ({ id }: Principal): string => `async/in/${id}/`;

/**
 * Inputs are read by the deployment's own role: who may call some models only is not to read with it what others have left for theirs.
 * @param key of the input in the deployment's bucket
 * @throws ServingError AccessDeniedException
 */
export const authorizeInput = (principal: Principal, key: string): void => {
  const folder = inputFolderOf(principal);
  if (principal.models.includes('*') || key.startsWith(folder)) return;
  throw notAllowed(
    `key ${principal.id} has its inputs below ${folder}, and is not authorized to read others`,
  );
};

/**
 * @param model what is managed; `undefined`: nothing in particular, such as a list of what the key may see
 * @throws ServingError AccessDeniedException when this key may not manage this model
 */
export const authorizeManage = ({ id, role, models }: Principal, model: string | undefined): void => {
  if (role !== 'manage')
    throw notAllowed(`key ${id} is not authorized to manage models: its role is ${role}`);
  if (model === undefined || matchesAny(model, models)) return;
  throw notAllowed(`key ${id} is not authorized to manage model ${JSON.stringify(model.slice(0, 200))}`);
};

/** @throws ServingError AccessDeniedException when this key may not manage what concerns all models */
export const authorizeManageAll = ({ id, role, models }: Principal, operation: string): void => {
  if (role === 'manage' && models.includes('*')) return;
  throw notAllowed(
    `key ${id} is not authorized to perform ${operation}: it takes the role manage for all models ('*')`,
  );
};

const notAllowed = (message: string): ServingError =>
  new ServingError('AccessDeniedException', `${message}; ask whoever issued it for one that is`);
