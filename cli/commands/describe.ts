import { HeadObjectCommand } from '@aws-sdk/client-s3';
import { parseModelName } from '../../lib/models/model-name.ts';
import { toPathName } from '../../lib/protocol/path-name.ts';
import { type Connection, Unable } from '../connect.ts';
import { explainModel, explanationText } from '../describe-model.ts';
import { bytesText, type Output } from '../output.ts';

interface Metadata {
  readonly inputs?: readonly Tensor[];
  readonly outputs?: readonly Tensor[];
}

interface Tensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
}

/** Everything that is known of a model: its object, what it takes and gives (it is opened for that), and its workers. */
export const describe = async (
  { model }: { readonly model: string },
  connection: Connection,
  output: Output,
): Promise<void> => {
  const { s3, bucket, prefix, store, url } = connection;
  const head = await s3
    .send(new HeadObjectCommand({ Bucket: bucket, Key: prefix + parseModelName(model) }))
    .catch((error: unknown) => {
      if ((error as Error).name !== 'NotFound') throw error;
      throw new Unable(`there is no model ${model}: npx mme ls has those that there are`);
    });
  const object = {
    sizeBytes: head.ContentLength ?? 0,
    etag: head.ETag,
    version: head.VersionId,
    modified: head.LastModified?.toISOString(),
  };
  const [metadata, plan, [row]] = await Promise.all([
    readMetadata(url(), model, connection.headers),
    store.readPlan(),
    store.readModels([model]),
  ]);
  const explained = plan && explainModel(plan, model, row);
  const lines = [
    model,
    `  object      ${bytesText(object.sizeBytes)}, ${object.modified}, ETag ${object.etag}${object.version === undefined ? '' : `, version ${object.version}`}`,
    ...describeMetadata(metadata),
    ...(plan && explained ? explanationText(explained, plan, Date.now()).split('\n').slice(1) : []),
  ];
  output.answer(lines.join('\n'), { model, object, ...metadata, ...explained });
};

type Read = { readonly metadata: Metadata } | { readonly problem: string };

const readMetadata = async (url: string, model: string, headers: Connection['headers']): Promise<Read> => {
  const response = await fetch(`${url}/v2/models/${encodeURIComponent(toPathName(model))}`, { headers });
  const body = (await response.json()) as Metadata & { readonly error?: string };
  return response.ok ? { metadata: body } : { problem: body.error ?? `status ${response.status}` };
};

const describeMetadata = (read: Read): readonly string[] => {
  if ('problem' in read) return [`  problem     ${read.problem}`];
  const { inputs = [], outputs = [] } = read.metadata;
  if (inputs.length + outputs.length === 0) return ['  takes       any document, and gives one'];
  const text = ({ name, datatype, shape }: Tensor): string =>
    `${name} ${datatype}[${shape.map((size) => (size < 0 ? '?' : size)).join(',')}]`;
  return [`  inputs      ${inputs.map(text).join(', ')}`, `  outputs     ${outputs.map(text).join(', ')}`];
};
