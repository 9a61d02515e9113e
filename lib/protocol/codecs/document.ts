import type { Document } from '../../engines/engine.ts';
import type { Encoded, RequestBody } from './codec.ts';
import { describeValue, invalidInput } from './invalid-input.ts';
import { parseJson } from './json.ts';
import { acceptedTypes, bareType } from './media-type.ts';

const JSON_TYPE = 'application/json';

/**
 * The body for a model that declares no tensors: JSON is parsed, `text/...` is a string, anything else is bytes.
 * @throws ServingError ValidationError for JSON that is none.
 */
export const decodeDocument = (body: RequestBody, contentType: string | undefined): Document => {
  const mediaType = bareType(contentType ?? '') || JSON_TYPE;
  if (mediaType === JSON_TYPE || mediaType.endsWith('+json')) return { document: parseJson(body.text()) };
  return { document: mediaType.startsWith('text/') ? body.text() : body.bytes() };
};

/**
 * What such a model gave: bytes go out under the type that was asked for, a string too if it is a type of text, all else is JSON.
 * @throws ServingError ValidationError where Accept allows no JSON.
 */
export const encodeDocument = ({ document }: Document, accept: string | undefined): Encoded => {
  const accepted = acceptedTypes(accept);
  const asked = accepted.find((type) => !type.includes('*'));
  if (document instanceof Uint8Array)
    return { contentType: asked ?? 'application/octet-stream', body: document };
  if (typeof document === 'string' && asked?.startsWith('text/'))
    return { contentType: asked, body: document };
  if (accepted.some((type) => type === '*/*' || type === 'application/*' || type === JSON_TYPE)) {
    return { contentType: JSON_TYPE, body: JSON.stringify(document) };
  }
  throw invalidInput(
    `Accept ${describeValue(accept)} is not supported by this model: it answers ${JSON_TYPE}`,
  );
};
