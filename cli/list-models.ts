import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { listOverHttp } from './call-management.ts';
import type { Connection } from './connect.ts';
import type { ModelBucket } from './model-bucket.ts';

interface Listed {
  readonly model: string;
  readonly sizeBytes: number;
  readonly modified: string;
}

interface Page {
  readonly models: readonly Listed[];
  readonly next: string | undefined;
}

export interface ListRequest {
  readonly prefix: string;
  readonly limit: number;
  readonly connection: Connection;
  readonly onProgress: (count: number) => void;
}

/** The models below a prefix, in S3's order: a page of 1,000 at a time, until `limit`. */
export const listModels = async ({
  prefix,
  limit,
  connection,
  onProgress,
}: ListRequest): Promise<{ readonly models: readonly Listed[]; readonly isMore: boolean }> => {
  const models: Listed[] = [];
  let next: string | undefined;
  do {
    const count = Math.min(1000, limit - models.length);
    const page: Page = connection.isRemote
      ? await readOverHttp(connection, prefix, count, next)
      : await readFromS3(connection, prefix, count, next);
    models.push(...page.models);
    next = page.next;
    onProgress(models.length);
  } while (next !== undefined && models.length < limit);
  return { models, isMore: next !== undefined };
};

/** A page of up to 1,000. */
export const readFromS3 = async (
  { s3, bucket, prefix }: ModelBucket,
  below: string,
  limit: number,
  token?: string,
): Promise<Page> => {
  const page = await s3.send(
    new ListObjectsV2Command({
      Bucket: bucket,
      Prefix: prefix + below,
      ContinuationToken: token,
      MaxKeys: limit,
    }),
  );
  const models = (page.Contents ?? []).flatMap(({ Key = '', Size = 0, LastModified }) =>
    /\.(tar\.gz|onnx)$/.test(Key)
      ? [{ model: Key.slice(prefix.length), sizeBytes: Size, modified: LastModified?.toISOString() ?? '' }]
      : [],
  );
  return { models, next: page.NextContinuationToken };
};

/** A page of up to 1,000. */
export const readOverHttp = async (
  connection: Pick<Connection, 'url' | 'headers'>,
  below: string,
  limit: number,
  token?: string,
): Promise<Page> => {
  const page = await listOverHttp(connection, below, limit, token);
  const models = page.models.map(({ modelName, sizeBytes, lastModified }) => ({
    model: modelName,
    sizeBytes,
    modified: lastModified,
  }));
  return { models, next: page.nextPageToken };
};
