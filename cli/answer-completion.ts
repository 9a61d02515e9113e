import { resolve } from 'node:path';
import { isModelName } from '../lib/models/model-name.ts';
import { complete } from './complete.ts';
import { deployedOf } from './deployed.ts';
import { createProgram } from './program.ts';
import { readEndpointFile } from './read-endpoint-file.ts';

export const MAX_CANDIDATES = 50;

/** Of every deployment (serverless.yml); those of groups are known where there are logs. */
const FUNCTIONS = ['async', 'catalog', 'management', 'router', 'scaler'];

/**
 * What the last of some words may become, a line each, at most 50. It imports no more than that takes: a shell waits.
 * @throws whatever happens; the caller is silent about it
 */
export const answerCompletion = async (
  words: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<readonly string[]> => {
  const program = createProgram(async () => undefined);
  const { candidates, wanted, start, values } = complete(program, words);
  if (wanted === undefined) return candidates.slice(0, MAX_CANDIDATES);
  const endpoint = values['endpoint'] ?? environment['MME_ENDPOINT'];
  const deployed = deployedOf({ ...values, endpoint }, environment['AWS_REGION']);
  const [functions, models] = await Promise.all([
    wanted === 'model' ? [] : functionNames(deployed, start, environment),
    modelNames(deployed, start, environment).catch(() => []),
  ]);
  return [...candidates, ...functions, ...models].slice(0, MAX_CANDIDATES);
};

const directoryOf = (environment: NodeJS.ProcessEnv): string => resolve(environment['LOCAL_DIR'] ?? '.local');

type Meant = ReturnType<typeof deployedOf>;

const functionNames = async (
  deployed: Meant,
  start: string,
  environment: NodeJS.ProcessEnv,
): Promise<readonly string[]> => {
  const names = deployed === undefined ? await localFunctions(directoryOf(environment)).catch(() => []) : [];
  return [...new Set([...FUNCTIONS, ...names])].filter((name) => name.startsWith(start));
};

const localFunctions = async (directory: string): Promise<readonly string[]> => {
  const { endpointName } = await readEndpointFile(directory);
  const { fileLogs } = await import('./logs/file-logs.ts');
  return fileLogs(`${directory}/logs`, `${endpointName}-`).functions();
};

/** The first models whose names begin so. */
const modelNames = async (
  deployed: Meant,
  start: string,
  environment: NodeJS.ProcessEnv,
): Promise<readonly string[]> => {
  const { models, next } = await readPage(deployed, start, environment);
  const names = models.map(({ model }) => model).filter(isModelName);
  // Shells complete to what all candidates begin with: the first fifty of thousands must not look like all of them.
  return next === undefined ? names : [...names.slice(0, MAX_CANDIDATES - 1), `${start}...`];
};

const readPage = async (deployed: Meant, start: string, environment: NodeJS.ProcessEnv) => {
  const { readFromS3, readOverHttp } = await import('./list-models.ts');
  if (deployed !== undefined && !('stage' in deployed)) {
    const apiKey = environment['MME_API_KEY'];
    const headers: Record<string, string> = apiKey === undefined ? {} : { 'x-api-key': apiKey };
    const url = (): string => deployed.endpoint.replace(/\/+$/, '');
    return readOverHttp({ url, headers }, start, MAX_CANDIDATES);
  }
  const { deployedModels, localModels } = await import('./model-bucket.ts');
  if (deployed !== undefined) {
    const { lookUpStack } = await import('./look-up-stack.ts');
    return readFromS3(deployedModels(await lookUpStack(deployed)), start, MAX_CANDIDATES);
  }
  const bucket = localModels(await readEndpointFile(directoryOf(environment)));
  return readFromS3(bucket, start, MAX_CANDIDATES);
};
