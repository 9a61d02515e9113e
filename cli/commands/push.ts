import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { Transform } from 'node:stream';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { create } from 'tar';
import { parseModelName } from '../../lib/models/model-name.ts';
import { checkArtifact } from '../check-artifact.ts';
import { type Connection, Unable } from '../connect.ts';
import { bytesText, type Output } from '../output.ts';

export interface PushCommand {
  readonly path: string;
  readonly model: string | undefined;
  readonly isChecked: boolean;
  readonly allowCustomCode: boolean;
}

/** S3 takes up to 5 GB in one PUT. */
const MAX_BYTES = 5 * 1024 ** 3;

/**
 * Uploads an artifact, after opening it here as a worker would: what a worker refuses is not uploaded.
 * @throws Unable with the worker's own words
 */
export const push = async (
  { path, model: given, isChecked, allowCustomCode }: PushCommand,
  { s3, bucket, prefix }: Connection,
  output: Output,
): Promise<void> => {
  const scratch = await mkdtemp(join(tmpdir(), 'mme-push-'));
  try {
    const file = await packIfFolder(resolve(path), scratch, output);
    const model = parseModelName(given ?? defaultName(path));
    const { size } = await stat(file);
    if (size > MAX_BYTES) {
      throw new Unable(
        `${path} has ${bytesText(size)}: S3 takes at most 5 GiB at once; put large weights beside it (option.model_id)`,
      );
    }
    const checked = isChecked
      ? await checkArtifact({ file, model, scratch, allowCustomCode, output })
      : undefined;

    let sent = 0;
    const counting = new Transform({
      transform(chunk: Buffer, _, done) {
        sent += chunk.length;
        output.progress(
          `uploading ${bytesText(sent)} of ${bytesText(size)} (${Math.floor((100 * sent) / size)} %)`,
        );
        done(null, chunk);
      },
    });
    await s3.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: prefix + model,
        Body: createReadStream(file).pipe(counting),
        ContentLength: size,
      }),
    );
    output.answer(`${model}: ${bytesText(size)} uploaded, callable now as TargetModel=${model}`, {
      model,
      sizeBytes: size,
      ...(checked === undefined ? {} : { checked }),
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
};

const defaultName = (path: string): string => {
  const name = basename(resolve(path));
  return /\.(tar\.gz|onnx)$/.test(name) ? name : `${name}.tar.gz`;
};

const packIfFolder = async (path: string, scratch: string, output: Output): Promise<string> => {
  const found = await stat(path).catch(() => {
    throw new Unable(`there is no file or folder ${path}`);
  });
  if (!found.isDirectory()) return path;
  output.progress(`packing ${path}`);
  const file = join(scratch, 'model.tar.gz');
  await create({ gzip: true, file, cwd: path, portable: true }, ['.']);
  return file;
};
