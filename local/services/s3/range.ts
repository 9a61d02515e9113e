import { S3Error } from './s3-error.ts';

/**
 * `bytes=a-b`, `bytes=a-` and `bytes=-n` of an object; anything else is ignored, as S3 does, the whole object then
 * being the answer.
 * @throws S3Error InvalidRange for a range that starts behind the end.
 */
export const parseRange = (
  header: string | undefined,
  sizeBytes: number,
): { readonly start: number; readonly end: number } | undefined => {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined;
  const start = first === '' ? Math.max(0, sizeBytes - Number(last)) : Number(first);
  const end = first === '' || last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  if (start >= sizeBytes || (first === '' && last === '0')) {
    throw new S3Error('InvalidRange', 'The requested range is not satisfiable');
  }
  return { start, end };
};
