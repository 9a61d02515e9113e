import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uploadFile } from '../../cli/upload-file.ts';
import { writeEndpointFile } from '../../local/endpoint-file.ts';
import { type RunningCloud, startTestCloud } from './cloud-harness.ts';
import { MAIN, runIn } from './mme-shell.ts';

const MIB = 1024 * 1024;
let running: RunningCloud;
let folder: string;
let s3: S3Client;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mme-push-'));
  running = await startTestCloud({ MODELS: '1' });
  const { endpoint } = running;
  await writeEndpointFile(running.directory, endpoint);
  s3 = new S3Client({
    endpoint: endpoint.awsEndpointUrl,
    region: endpoint.region,
    credentials: { accessKeyId: endpoint.accessKeyId, secretAccessKey: endpoint.secretAccessKey },
    forcePathStyle: true,
    maxAttempts: 1,
  });
}, 60_000);
afterAll(async () => {
  s3.destroy();
  await running.close();
  await rm(folder, { recursive: true });
});

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const read = async (key: string) => {
  const { Body, ETag } = await s3.send(
    new GetObjectCommand({ Bucket: running.endpoint.bucket, Key: running.endpoint.prefix + key }),
  );
  return { hash: sha256((await Body?.transformToByteArray()) ?? new Uint8Array()), etag: ETag };
};

describe('mme push', () => {
  it.each([
    ['nothing', 0, /^"[0-9a-f]{32}"$/],
    ['a small file, at once', 3 * MIB + 7, /^"[0-9a-f]{32}"$/],
    ['a large one, in parts', 20 * MIB + 7, /-5"$/],
  ])(
    'uploads %s',
    async (name, sizeBytes, etag) => {
      const bytes = randomBytes(sizeBytes);
      const file = join(folder, `${sizeBytes}.onnx`);
      await writeFile(file, bytes);

      const ran = await runIn(running.directory)(process.execPath, [MAIN, 'push', file, '--no-check']);

      expect(ran, name).toMatchObject({ code: 0, err: '' });
      const found = await read(`${sizeBytes}.onnx`);
      expect(found.hash).toBe(sha256(bytes));
      expect(found.etag).toMatch(etag);
    },
    30_000,
  );

  const isTerminalThere = spawnSync('script', ['--version']).error === undefined;

  it.skipIf(!isTerminalThere)(
    'shows how far it is on a terminal, and not with --json',
    async () => {
      const file = join(folder, 'shown.onnx');
      await writeFile(file, randomBytes(17 * MIB));
      const push = `'${process.execPath}' '${MAIN}' push '${file}' --no-check`;
      const onTerminal = (command: string) =>
        runIn(running.directory)('script', ['-qec', command, '/dev/null']);

      const shown = await onTerminal(push);
      const quiet = await onTerminal(`${push} --json`);

      expect(shown.out).toMatch(/\[K\[=+-+\] \d+ % {2}\d+\.0 MiB of 17\.0 MiB, [\d.]+ \w+\/s/);
      expect(shown.out).toMatch(/\[={24}\] 100 % .*\r\nshown\.onnx: 17\.0 MiB uploaded/);
      expect(quiet.out).toBe('{"model":"shown.onnx","sizeBytes":17825792}\r\n');
    },
    30_000,
  );
});

describe('an upload', () => {
  const upload = (bucket: string, file: string) =>
    uploadFile({ s3, bucket, key: `${running.endpoint.prefix}gone.onnx`, file, onSent: () => undefined });

  it('of a file that is gone fails, and leaves nothing', async () => {
    await expect(upload(running.endpoint.bucket, join(folder, 'no-such-file'))).rejects.toThrow(/ENOENT/);
    await expect(read('gone.onnx')).rejects.toThrow(/key does not exist/);
  });

  it.each([[1 * MIB], [17 * MIB]])('of %d bytes to a bucket that is not there says so', async (sizeBytes) => {
    const file = join(folder, 'fine');
    await writeFile(file, Buffer.alloc(sizeBytes));

    await expect(upload('no-such-bucket', file)).rejects.toMatchObject({ name: 'NoSuchBucket' });
  });
});
