import type { Codec } from './codec.ts';
import { csvCodec } from './csv.ts';
import { describeValue, invalidInput } from './invalid-input.ts';
import { jsonCodec } from './json.ts';

const CODECS: readonly Codec[] = [jsonCodec, csvCodec];
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
 * The codec of the answer: the best that Accept allows, the first supported one among equals, JSON where it says nothing.
 * @throws ServingError ValidationError when it allows none of those there are.
 */
export const answerCodec = (accept: string | undefined): Codec => {
  if (accept === undefined || accept.trim() === '') return jsonCodec;
  const ranges = accept.split(',').map(parseRange);
  const refused = ranges.filter(({ quality }) => quality === 0).map(({ type }) => type);
  const asked = ranges.filter(({ quality }) => quality > 0).sort((a, b) => b.quality - a.quality);
  for (const { type } of asked) {
    const codec = CODECS.find(({ mediaType }) => matches(type, mediaType) && !refused.includes(mediaType));
    if (codec !== undefined) return codec;
  }
  throw invalidInput(`Accept ${describeValue(accept)} is not supported: ask for one of ${SUPPORTED}`);
};

const bareType = (value: string): string => (value.split(';', 1)[0] ?? '').trim().toLowerCase();

const parseRange = (range: string): { type: string; quality: number } => {
  const quality = /;\s*q\s*=\s*([\d.]+)/i.exec(range)?.[1];
  return { type: bareType(range), quality: quality === undefined ? 1 : Number(quality) };
};

const matches = (range: string, mediaType: string): boolean =>
  range === '*/*' ||
  range === mediaType ||
  (range.endsWith('/*') && mediaType.startsWith(range.slice(0, -1)));
