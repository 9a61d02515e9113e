import { binaryCodec } from './binary.ts';
import type { Codec } from './codec.ts';
import { csvCodec } from './csv.ts';
import { describeValue, invalidInput } from './invalid-input.ts';
import { jsonCodec } from './json.ts';
import { acceptedTypes, bareType, covers, refusedTypes } from './media-type.ts';
import { npyCodec, npzCodec } from './numpy.ts';

const CODECS: readonly Codec[] = [jsonCodec, csvCodec, npyCodec, npzCodec, binaryCodec];
const SUPPORTED = CODECS.map(({ mediaType }) => mediaType).join(', ');

/**
 * The codec of a request body. Without a Content-Type it is JSON, as in SageMaker's own containers.
 * @throws ServingError ValidationError for any other media type.
 */
export const requestCodec = (contentType: string | undefined): Codec => {
  const mediaType = bareType(contentType ?? '');
  const codec = mediaType === '' ? jsonCodec : CODECS.find((each) => each.mediaType === mediaType);
  if (codec === undefined) {
    throw invalidInput(`ContentType ${describeValue(mediaType)} is not supported: send one of ${SUPPORTED}`);
  }
  return codec;
};

/**
 * The codec of the answer: the best that Accept allows, the first supported one among equals. Where it says nothing, JSON,
 * or what the request was in if that has a way of its own to ask for bytes.
 * @throws ServingError ValidationError when it allows none of those there are.
 */
export const answerCodec = (accept: string | undefined, request: Codec = jsonCodec): Codec => {
  const fallback = request === binaryCodec ? binaryCodec : jsonCodec;
  const refused = refusedTypes(accept);
  for (const type of acceptedTypes(accept)) {
    const codec = [fallback, ...CODECS].find(
      ({ mediaType }) => covers(type, mediaType) && !refused.includes(mediaType),
    );
    if (codec !== undefined) return codec;
  }
  throw invalidInput(`Accept ${describeValue(accept)} is not supported: ask for one of ${SUPPORTED}`);
};
