import type { IncomingHttpHeaders } from 'node:http';
import type { WriteCondition } from './object-store.ts';
import { S3Error } from './s3-error.ts';
import type { StoredObject } from './version.ts';

/** What If-Match and If-None-Match ask of the object that a write would replace. */
export const writeCondition = (headers: IncomingHttpHeaders): WriteCondition => {
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*') {
    throw new S3Error('NotImplemented', 'A PUT takes If-None-Match only with the value *');
  }
  return {
    ...(ifNoneMatch === undefined ? {} : { mustNotExist: true }),
    ...(headers['if-match'] === undefined ? {} : { mustMatch: quoted(headers['if-match']) }),
  };
};

/** What a copy asks of its source. A condition by ETag goes before one by time (API reference, CopyObject). */
export const checkCopySource = (headers: IncomingHttpHeaders, source: StoredObject): void => {
  const asked = (name: string): string | undefined => headers[`x-amz-copy-source-if-${name}`]?.toString();
  const modifiedS = Math.floor(source.lastModifiedMs / 1000);
  const isModifiedSince = (date: string): boolean => modifiedS > Date.parse(date) / 1000;
  const [match, noneMatch] = [asked('match'), asked('none-match')];
  const [unmodifiedSince, modifiedSince] = [asked('unmodified-since'), asked('modified-since')];

  const holds =
    (match === undefined
      ? unmodifiedSince === undefined || !isModifiedSince(unmodifiedSince)
      : matches(match, source)) &&
    (noneMatch === undefined || !matches(noneMatch, source)) &&
    (modifiedSince === undefined || isModifiedSince(modifiedSince));
  if (!holds) throw preconditionFailed();
};

/** Whether a list of ETags, or `*`, has that of the object. */
export const matches = (header: string, { etag }: StoredObject): boolean =>
  header.split(',').some((each) => each.trim() === '*' || quoted(each.trim().replace(/^W\//, '')) === etag);

export const preconditionFailed = (): S3Error =>
  new S3Error('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');

const quoted = (etag: string): string => (etag.startsWith('"') ? etag : `"${etag}"`);
