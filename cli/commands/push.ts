import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { Transform } from 'node:stream';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { create } from 'tar';
import { parseModelName } from '../../lib/models/model-name.ts';
import { checkArtifact } from '../check-artifact.ts';
import { type CommandSpec, option } from '../command.ts';
import { type Connection, Unable } from '../connect.ts';
import { bytesText, type Output } from '../output.ts';

export const push: CommandSpec = {
  name: 'push',
  summary: 'upload a model, after opening it here as a worker would',
  args: [
    ['<file>', 'model.tar.gz, a bare .onnx, or a folder, which is packed'],
    ['[model]', 'its name (default: that of the file)'],
  ],
  options: [
    option('--no-check', 'upload without opening it first'),
    option('--allow-custom-code', 'open a model.mjs as well: it runs here'),
  ],
  example: 'push model.tar.gz tenant-7/churn.tar.gz',
  run: ([path = '', model], { check, allowCustomCode = false }, { connection, output }) =>
    pushModel({ path, model, isChecked: check !== false, allowCustomCode }, connection, output),
};

interface PushCommand {
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
const pushModel = async (
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
    const startedMs = performance.now();
    const counting = new Transform({
      transform(chunk: Buffer, _, done) {
        sent += chunk.length;
        output.progress(progressText(sent, size, performance.now() - startedMs));
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

const BAR_WIDTH = 24;

/** `[========----] 66 %  1.2 MiB of 1.8 MiB, 640.0 KiB/s` */
const progressText = (sent: number, size: number, tookMs: number): string => {
  const share = size === 0 ? 1 : sent / size;
  const bar = '='.repeat(Math.round(BAR_WIDTH * share)).padEnd(BAR_WIDTH, '-');
  const rate = bytesText(Math.round((1000 * sent) / Math.max(1, tookMs)));
  return `[${bar}] ${Math.floor(100 * share)} %  ${bytesText(sent)} of ${bytesText(size)}, ${rate}/s`;
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
