import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EndpointFile } from '../local/endpoint-file.ts';

/** Where to call, and how many models are there. */
export interface Target {
  readonly invocations: URL;
  readonly models: number;
  /** What callers have to show. */
  readonly headers: Readonly<Record<string, string>>;
}

/** That there is nothing to call; the message says what to do about it. */
export class NoTarget extends Error {
  override readonly name = 'NoTarget';
}

/** As many as `npm start` uploads. */
const USUAL_MODELS = 1000;

export const remoteTarget = (
  remote: { readonly url: string; readonly endpointName: string },
  apiKey: string | undefined,
): Target => ({
  invocations: invocationsOf(remote),
  models: USUAL_MODELS,
  headers: keyHeader(apiKey),
});

const keyHeader = (apiKey: string | undefined): Target['headers'] =>
  apiKey === undefined ? {} : { 'x-api-key': apiKey };

/** @throws NoTarget */
export const readLocalTarget = async (directory: string): Promise<Target> => {
  const path = join(directory, 'endpoint.json');
  const endpoint = await readJson<EndpointFile>(path);
  if (endpoint === undefined) {
    throw new NoTarget(`${path} is not there: start it with npm start, or give --url and --endpoint`);
  }
  const invocations = invocationsOf(endpoint);
  // A load test of somebody else's machine must be asked for by name.
  if (invocations.hostname !== '127.0.0.1') {
    throw new NoTarget(
      `${path} names ${invocations.hostname}, not 127.0.0.1: give --url and --endpoint to call it`,
    );
  }
  const seed = await readJson<{ readonly models: number }>(join(directory, 'seed.json'));
  return { invocations, models: seed?.models ?? USUAL_MODELS, headers: keyHeader(endpoint.apiKey) };
};

const invocationsOf = ({ url, endpointName }: { url: string; endpointName: string }): URL =>
  new URL(`${url.replace(/\/+$/, '')}/endpoints/${encodeURIComponent(endpointName)}/invocations`);

/** What `npm start` itself has written, whole or not at all. */
const readJson = async <T>(path: string): Promise<T | undefined> => {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as T);
};
