import { type ArchiveLimits, createEntryPolicy } from '../archive/entry-policy.ts';
import { NewFiles } from '../archive/new-files.ts';
import { ServingError } from '../errors.ts';
import type { WeightStore } from './model-store.ts';

export interface WeightsOptions {
  readonly store: WeightStore;
  /** `s3://bucket/prefix` that artifacts may point to; none by default. */
  readonly allowedPrefixes: readonly string[];
  readonly limits: ArchiveLimits;
  /** Told how much there is to fetch, before it is. */
  readonly addBytes: (bytes: number) => Promise<void>;
}

/**
 * Fetches what `option.model_id` names into the folder of an unpacked artifact: weights too large for the archive.
 * @returns the bytes written
 * @throws ServingError ModelError for a place that the deployment does not allow, or where there is nothing.
 */
export const fetchWeights = async (
  modelId: string,
  directory: string,
  options: WeightsOptions,
): Promise<number> => {
  const location = parseModelId(modelId, options.allowedPrefixes);
  const files = await options.store.list(location);
  if (files.length === 0) {
    throw modelError(
      `${quote(modelId)} names no object in S3: upload the weights there, or mend the key (that of a folder ends in /)`,
    );
  }

  await options.addBytes(files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
  const judge = createEntryPolicy(options.limits);
  using written = new NewFiles(directory);
  let writtenBytes = 0;
  for (const { path, sizeBytes, read } of files) {
    const verdict = judge({ path, type: 'File', sizeBytes });
    if (!('write' in verdict))
      throw modelError(`${quote(modelId)}: ${'refuse' in verdict ? verdict.refuse : 'no file'}`);
    const { body } = await read();
    const file = written.open(verdict.write);
    for await (const chunk of body) {
      file.write(chunk);
      writtenBytes += chunk.length;
    }
  }
  return writtenBytes;
};

/**
 * `s3://bucket/key`, below one of the prefixes. A prefix that does not end in `/` allows only that very key.
 * @throws ServingError ModelError
 */
export const parseModelId = (
  modelId: string,
  allowedPrefixes: readonly string[],
): { readonly bucket: string; readonly key: string } => {
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/(.+)$/.exec(modelId);
  const [, bucket, key] = match ?? [];
  if (bucket === undefined || key === undefined || /\p{Cc}/u.test(key) || key.split('/').includes('..')) {
    throw modelError(`should be s3://bucket/key, but is ${quote(modelId)}`);
  }
  const isAllowed = allowedPrefixes.some((prefix) =>
    prefix.endsWith('/') ? modelId.startsWith(prefix) : modelId === prefix,
  );
  if (isAllowed) return { bucket, key };
  throw modelError(
    `${quote(modelId)} is not below a prefix that this deployment allows (${allowedPrefixes.join(', ') || 'none'}): name it in weightsPrefixes (serverless.yml), or pack the weights into the archive`,
  );
};

const quote = (text: string): string => JSON.stringify(text.slice(0, 200));

const modelError = (problem: string): ServingError =>
  new ServingError('ModelError', `serving.properties: option.model_id ${problem}`);
