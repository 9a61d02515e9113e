import { execFile } from 'node:child_process';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../deploy/inputs.ts';
import { type EndpointFile, writeEndpointFile } from './endpoint-file.ts';

interface IssuedKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly apiKey: string;
}

/**
 * A key for whoever starts an endpoint whose callers need one, made as anybody makes one: by `mme keys create`. It is kept
 * beside the endpoint's state, readable by its owner only, as on one machine there is nobody else to hand it to.
 */
export const issueLocalKey = async (endpoint: EndpointFile, directory: string): Promise<EndpointFile> => {
  if (endpoint.authentication !== 'keys') return endpoint;
  const file = join(directory, 'key.json');
  const known = await readFile(file, 'utf8').catch(() => undefined);
  if (known !== undefined) return { ...endpoint, ...(JSON.parse(known) as IssuedKey) };

  await writeEndpointFile(directory, endpoint);
  const args = ['keys', 'create', '--models', '*', '--role', 'manage', '--note', 'npm start', '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, 'cli', 'main.ts'), ...args], {
    env: { ...process.env, LOCAL_DIR: directory },
    timeout: 30_000,
  });
  const { accessKeyId, secretAccessKey, apiKey } = JSON.parse(stdout) as IssuedKey;
  const key = { accessKeyId, secretAccessKey, apiKey };
  await writeFile(`${file}.new`, JSON.stringify(key), { mode: 0o600 });
  await rename(`${file}.new`, file);
  return { ...endpoint, ...key };
};
