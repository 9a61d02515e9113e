import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createHttpApi } from '../local/http-api/http-api.ts';
import type { FunctionConfig } from '../local/lambda/function-config.ts';
import { createLambda } from '../local/lambda/lambda.ts';
import type { Called } from './endpoint.ts';

/** Passes the body on to the other function and its answer back, and does nothing else. */
const ROUTER = `
  const http = process.getBuiltinModule('node:http');
  const { hostname: host, port } = new URL(process.env.AWS_ENDPOINT_URL);
  const path = '/2015-03-31/functions/hops-worker/invocations?Qualifier=live';
  export const handler = ({ body }) => new Promise((resolve, reject) => {
    const out = http.request({ host, port, method: 'POST', path });
    out.once('error', reject);
    out.once('response', (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => resolve({
        statusCode: 200,
        headers: { 'content-type': 'application/json' },
        body: JSON.parse(Buffer.concat(chunks).toString()).body,
      }));
    });
    out.end(JSON.stringify({ body }));
  });
`;

/** Answers with the sum of each row. */
const WORKER = `
  export const handler = async ({ body }) => ({
    body: JSON.stringify({ predictions: JSON.parse(body).instances.map((row) => row.reduce((a, b) => a + b)) }),
  });
`;

export interface Hops extends Called {
  close(): Promise<void>;
}

/**
 * The way of a call through the local cloud with nothing on it: no authentication, routes, signature, models or metrics of ours, only a
 * process for the router and one for the worker, one event at a time each. What the whole way cannot be faster than.
 */
export const startHops = async (directory: string): Promise<Hops> => {
  const server = createServer((request, response) => httpApi(request, response));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const cores = availableParallelism();
  const onError = (error: unknown): void => void process.stderr.write(`${String(error)}\n`);
  const lambda = createLambda({
    functions: [
      {
        ...(await deploy('hops-router', ROUTER, { directory, url, maxEnvironments: cores + 2 })),
        forwards: true,
      },
      await deploy('hops-worker', WORKER, { directory, url, maxEnvironments: cores }),
    ],
    directory,
    settings: { limits: 'off', queueWaitMs: 5000, idleMs: 600_000 },
    now: Date.now,
    onError,
  });
  const target = { functionName: 'hops-router', qualifier: 'live' };
  const routes = [{ routeKey: 'POST /invocations', target, timeoutMs: 30_000 }];
  const httpApi = createHttpApi({ routes, lambda, now: Date.now, onError });
  return {
    url: `${url}/invocations`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await lambda.close();
    },
  };
};

const deploy = async (
  name: string,
  source: string,
  { directory, url, maxEnvironments }: { directory: string; url: string; maxEnvironments: number },
): Promise<FunctionConfig> => {
  const codeDirectory = join(directory, name);
  await mkdir(codeDirectory, { recursive: true });
  await writeFile(join(codeDirectory, 'handler.mjs'), source);
  return {
    name,
    handler: 'handler.handler',
    codeDirectory,
    nodePath: [],
    memorySizeMb: 512,
    timeoutSeconds: 30,
    ephemeralStorageMb: 512,
    environment: { AWS_ENDPOINT_URL: url, LOCAL_INVOKE: 'message' },
    region: 'us-east-1',
    versions: ['1'],
    aliases: { live: '1' },
    maxEnvironments,
  };
};
