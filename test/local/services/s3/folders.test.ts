import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ClassicLevel } from 'classic-level';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ObjectStore } from '../../../../local/services/s3/object-store.ts';
import { openS3 } from '../../../../local/services/s3/s3.ts';
import { isDeleteMarker, type Version } from '../../../../local/services/s3/version.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 's3-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const blobIds = async (): Promise<readonly string[]> => {
  const entries = await readdir(join(directory, 'blobs'), { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
};

const textOf = async (store: ObjectStore, version: Version | undefined): Promise<string | undefined> => {
  if (version === undefined || isDeleteMarker(version)) return undefined;
  let text = '';
  for await (const chunk of store.readBlob(version.blobId)) text += String(chunk);
  return text;
};

const listAll = async (store: ObjectStore) => {
  const listed: { key: string; version: Version; isLatest: boolean }[] = [];
  for await (const [key, { version, isLatest }] of store.listVersions('models', { prefix: '' })) {
    listed.push({ key, version, isLatest });
  }
  return listed;
};

describe('a folder of a release without versions', () => {
  it('opens, and its objects are the versions null', async () => {
    const blobId = '0f3a2b1c-0000-4000-8000-000000000000';
    await mkdir(join(directory, 'blobs', '0f'), { recursive: true });
    await writeFile(join(directory, 'blobs', '0f', blobId), 'old');
    const index = new ClassicLevel<string, unknown>(join(directory, 'index'), { valueEncoding: 'json' });
    const object = { blobId, sizeBytes: 3, etag: '"149603e6c03516362a8da23f624db945"', lastModifiedMs: 1 };
    await index.put('b\0models', 1);
    await index.put('o\0models\0a', { ...object, headers: { 'content-type': 'application/gzip' } });
    await index.close();

    const s3 = await openS3({ directory, now: Date.now });
    expect(s3.store.versioning('models')).toBeUndefined();
    expect(await textOf(s3.store, await s3.store.get('models', 'a'))).toBe('old');
    await s3.store.setVersioning('models', 'Enabled');
    await s3.store.put('models', 'a', Buffer.from('new'));
    await s3.close();
    const again = await openS3({ directory, now: Date.now });

    expect(await textOf(again.store, await again.store.get('models', 'a'))).toBe('new');
    expect(await textOf(again.store, await again.store.getVersion('models', 'a', 'null'))).toBe('old');
    await again.close();
  });
});

describe('a folder whose process is killed amid its writes', () => {
  /** Lines that were said before the process was killed, after `acknowledged` of them. */
  const writeUntilKilled = async (round: number, acknowledged: number): Promise<readonly string[][]> => {
    const script = join(import.meta.dirname, 'write-until-killed.ts');
    const child = spawn(process.execPath, [script, directory, String(round)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines: string[][] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(JSON.parse(line) as string[]);
      if (lines.length === acknowledged) child.kill('SIGKILL');
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    expect(child.signalCode).toBe('SIGKILL');
    return lines;
  };

  it('has all that was acknowledged, each version whole, and no bytes of nobody', async () => {
    const written = new Map<string, { key: string; text: string }>();
    const maybeRemoved = new Set<string>();
    for (const [round, acknowledged] of [1, 30, 77, 150].entries()) {
      for (const [action, key = '', versionId = '', text = ''] of await writeUntilKilled(
        round,
        acknowledged,
      )) {
        if (action === 'put') written.set(versionId, { key, text });
        else if (action === 'removing') maybeRemoved.add(versionId);
        else written.delete(versionId);
      }

      const { store, close } = await openS3({ directory, now: Date.now });
      const listed = await listAll(store);
      for (const { key, version, isLatest } of listed) {
        expect(await store.getVersion('models', key, version.versionId ?? '')).toEqual(version);
        const current = await store.get('models', key);
        if (isLatest) expect(current).toEqual(isDeleteMarker(version) ? undefined : version);
        if (!isDeleteMarker(version)) expect(await textOf(store, version)).toMatch(/^\d+\.\d+$/);
      }
      for (const [versionId, { key, text }] of written) {
        const found = await textOf(store, await store.getVersion('models', key, versionId));
        if (found === undefined) expect(maybeRemoved).toContain(versionId);
        else expect(found).toBe(text);
      }
      const named = listed.flatMap(({ version }) => (isDeleteMarker(version) ? [] : [version.blobId]));
      expect([...(await blobIds())].sort()).toEqual(named.sort());
      await close();
    }
  });
});
