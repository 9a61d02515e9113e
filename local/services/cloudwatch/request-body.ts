import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { readBody } from '../../read-body.ts';
import { CloudWatchError } from './cloudwatch-error.ts';

/** CloudWatch takes 1 MB per request. */
const MAX_SENT_BYTES = 1024 * 1024;
/** 1000 data of 150 values and 30 dimensions are less; a bomb is more. */
const MAX_UNZIPPED_BYTES = 16 * 1024 * 1024;

const unzip = promisify<Buffer, { maxOutputLength: number }, Buffer>(gunzip);

/** The body as it was before the SDK compressed it, which it does from 10 KB on. @throws CloudWatchError */
export const readRequestBody = async (request: IncomingMessage): Promise<Buffer> => {
  const body = await readBody(request, MAX_SENT_BYTES);
  if (body === undefined) throw tooLarge();
  if (request.headers['content-encoding'] !== 'gzip') return body;
  return unzip(body, { maxOutputLength: MAX_UNZIPPED_BYTES }).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
    throw new CloudWatchError('MalformedInput', 'The body is not gzip.', { cause });
  });
};

const tooLarge = (): CloudWatchError =>
  new CloudWatchError('RequestEntityTooLarge', 'A request has at most 1 MB, and 16 MB once unzipped.');
