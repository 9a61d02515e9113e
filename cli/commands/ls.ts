import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { Connection } from '../connect.ts';
import { bytesText, type Output } from '../output.ts';
import { table } from '../table.ts';

interface Listed {
  readonly model: string;
  readonly sizeBytes: number;
  readonly modified: string;
}

/** The models below a prefix, in S3's order: a page of 1,000 at a time, until `limit`. */
export const ls = async (
  { prefix: below, limit }: { readonly prefix: string; readonly limit: number },
  { s3, bucket, prefix }: Connection,
  output: Output,
): Promise<void> => {
  const models: Listed[] = [];
  let ContinuationToken: string | undefined;
  do {
    const page = await s3.send(
      new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: prefix + below,
        ContinuationToken,
        MaxKeys: Math.min(1000, limit - models.length),
      }),
    );
    for (const { Key = '', Size = 0, LastModified } of page.Contents ?? []) {
      if (!/\.(tar\.gz|onnx)$/.test(Key)) continue;
      models.push({
        model: Key.slice(prefix.length),
        sizeBytes: Size,
        modified: LastModified?.toISOString() ?? '',
      });
    }
    ContinuationToken = page.NextContinuationToken;
    output.progress(`${models.length} models`);
  } while (ContinuationToken !== undefined && models.length < limit);

  const isMore = ContinuationToken !== undefined;
  const rows = models.map(({ model, sizeBytes, modified }) => [model, bytesText(sizeBytes), modified]);
  const lines = table(['model', 'size', 'modified'], rows, new Set([1]));
  const closing = isMore ? [`the first ${models.length}: there are more, see --limit`] : [];
  output.answer(
    models.length === 0 ? `no model below ${JSON.stringify(below)}` : [...lines, ...closing].join('\n'),
    { models, isMore },
  );
};
