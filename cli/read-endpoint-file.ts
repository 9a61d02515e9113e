import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EndpointFile } from '../local/endpoint-file.ts';
import { Unable } from './unable.ts';

/** What npm start has left about its endpoint. @throws Unable when nothing runs on this machine */
export const readEndpointFile = async (localDirectory: string): Promise<EndpointFile> => {
  const file = join(localDirectory, 'endpoint.json');
  const text = await readFile(file, 'utf8').catch(() => {
    throw new Unable(
      `no endpoint runs on this machine (there is no ${file}): start one with npm start, or give --stage for one in AWS`,
    );
  });
  return JSON.parse(text) as EndpointFile;
};
