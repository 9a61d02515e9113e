import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { create } from 'tar';
import { parseModelName } from '../lib/models/model-name.ts';
import type { Connection } from './connect.ts';
import { bytesText, type Output } from './output.ts';
import { Unable } from './unable.ts';
import { uploadFile } from './upload-file.ts';
import { createProgress } from './upload-progress.ts';

export interface PushCommand {
  readonly path: string;
  readonly model: string | undefined;
  readonly isChecked: boolean;
  readonly allowCustomCode: boolean;
}

/** S3 copies up to 5 GB in one go, which `copy` and `rollback` do. */
const MAX_BYTES = 5 * 1024 ** 3;

/**
 * Uploads an artifact, after opening it here as a worker would: what a worker refuses is not uploaded.
 * @throws Unable with the worker's own words
 */
export const pushModel = async (
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
        `${path} has ${bytesText(size)}: at most 5 GiB are taken, as S3 copies no more at once; put large weights beside it (option.model_id)`,
      );
    }
    const checked = isChecked
      ? await (await import('./check-artifact.ts')).checkArtifact({
          file,
          model,
          scratch,
          allowCustomCode,
          output,
        })
      : undefined;
    const onSent = createProgress(size, () => performance.now(), output);
    await uploadFile({ s3, bucket, key: prefix + model, file, onSent });
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
