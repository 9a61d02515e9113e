/** `type/subtype` in lower case, without parameters. */
export const bareType = (value: string): string => (value.split(';', 1)[0] ?? '').trim().toLowerCase();

/** The types of an Accept header, the best first; those with quality 0 are left out. Anything where it says nothing. */
export const acceptedTypes = (accept: string | undefined): readonly string[] =>
  parseAccept(accept)
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality)
    .map(({ type }) => type);

/** The types that an Accept header rules out (quality 0). */
export const refusedTypes = (accept: string | undefined): readonly string[] =>
  parseAccept(accept)
    .filter(({ quality }) => quality === 0)
    .map(({ type }) => type);

/** Whether a range such as `text/*` covers a type. */
export const covers = (range: string, mediaType: string): boolean =>
  range === '*/*' ||
  range === mediaType ||
  (range.endsWith('/*') && mediaType.startsWith(range.slice(0, -1)));

const parseAccept = (accept: string | undefined): readonly { type: string; quality: number }[] =>
  accept === undefined || accept.trim() === ''
    ? [{ type: '*/*', quality: 1 }]
    : accept.split(',').map(parseRange);

const parseRange = (range: string): { type: string; quality: number } => {
  const quality = /;\s*q\s*=\s*([\d.]+)/i.exec(range)?.[1];
  return { type: bareType(range), quality: quality === undefined ? 1 : Number(quality) };
};
