import { ServingError } from '../../errors.ts';

/** Reasons come from user code: a caller gets the beginning. */
const MAX_LENGTH = 300;

/** Absolute paths of two names or more, file URLs included; `1/2` and `/x` stay. */
const PATH = /(?:file:\/\/)?(?<![\w.])(?:\/[\w.@+~%-]+){2,}/g;

/** Words of user code in one line, without the paths of this machine. */
export const explain = (reason: unknown): string =>
  (typeof reason === 'string' ? reason : 'it gave no reason that can be read')
    .replaceAll(PATH, (path) => path.slice(path.lastIndexOf('/') + 1))
    .replaceAll(/\s+/g, ' ')
    .slice(0, MAX_LENGTH);

export const modelError = (message: string, cause?: unknown): ServingError =>
  new ServingError('ModelError', message, cause === undefined ? {} : { cause });
