import { ServingError } from '../errors.ts';
import { parseModelName } from '../models/model-name.ts';

/**
 * A model's name in a path. An HTTP API decodes %2F before it matches routes, so a slash is written `~1` there and a tilde
 * `~0`, as in JSON Pointers (RFC 6901). A name without an ending gets `.tar.gz`: clients of these APIs give none.
 * @throws ServingError ValidationError
 */
export const parsePathName = (text: string | undefined): string => {
  if (text === undefined || text === '') {
    throw new ServingError('ValidationError', 'the path names no model');
  }
  if (/~(?![01])/.test(text)) {
    throw new ServingError(
      'ValidationError',
      'in a path a slash of a name is written ~1 and a tilde ~0; another ~ means nothing',
    );
  }
  const name = text.replaceAll('~1', '/').replaceAll('~0', '~');
  return parseModelName(/\.(tar\.gz|onnx)$/.test(name) ? name : `${name}.tar.gz`);
};

/** The other way round. */
export const toPathName = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');
