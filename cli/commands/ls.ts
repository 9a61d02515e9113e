import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { listOverHttp } from '../call-management.ts';
import { type CommandSpec, option, wholeNumber } from '../command.ts';
import type { Connection } from '../connect.ts';
import { bytesText, type Output } from '../output.ts';
import { table } from '../table.ts';

interface Listed {
  readonly model: string;
  readonly sizeBytes: number;
  readonly modified: string;
}

export const ls: CommandSpec = {
  name: 'ls',
  summary: 'the models of the endpoint',
  args: [['[prefix]', 'those whose names begin so']],
  options: [option('--limit <n>', 'at most so many').argParser(wholeNumber(1)).default(1000)],
  example: 'ls tenant-7/ --limit 20',
  run: ([prefix = ''], { limit }, { connection, output }) =>
    listModels({ prefix, limit: limit as number }, connection, output),
};

interface Page {
  readonly models: readonly Listed[];
  readonly next: string | undefined;
}

/** The models below a prefix, in S3's order: a page of 1,000 at a time, until `limit`. */
const listModels = async (
  { prefix: below, limit }: { readonly prefix: string; readonly limit: number },
  connection: Connection,
  output: Output,
): Promise<void> => {
  const read = connection.isRemote ? readOverHttp : readFromS3;
  const models: Listed[] = [];
  let next: string | undefined;
  do {
    const page: Page = await read(connection, below, Math.min(1000, limit - models.length), next);
    models.push(...page.models);
    next = page.next;
    output.progress(`${models.length} models`);
  } while (next !== undefined && models.length < limit);

  const isMore = next !== undefined;
  const rows = models.map(({ model, sizeBytes, modified }) => [model, bytesText(sizeBytes), modified]);
  const lines = table(['model', 'size', 'modified'], rows, new Set([1]));
  const closing = isMore ? [`the first ${models.length}: there are more, see --limit`] : [];
  output.answer(
    models.length === 0 ? `no model below ${JSON.stringify(below)}` : [...lines, ...closing].join('\n'),
    { models, isMore },
  );
};

const readFromS3 = async (
  { s3, bucket, prefix }: Connection,
  below: string,
  limit: number,
  token: string | undefined,
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

const readOverHttp = async (
  connection: Connection,
  below: string,
  limit: number,
  token: string | undefined,
): Promise<Page> => {
  const page = await listOverHttp(connection, below, limit, token);
  const models = page.models.map(({ modelName, sizeBytes, lastModified }) => ({
    model: modelName,
    sizeBytes,
    modified: lastModified,
  }));
  return { models, next: page.nextPageToken };
};
