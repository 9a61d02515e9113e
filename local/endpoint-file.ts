import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Cloud, CREDENTIALS, REGION } from './cloud.ts';

/** What scripts need to call a running endpoint; written to `<LOCAL_DIR>/endpoint.json`. */
export interface EndpointFile {
  readonly url: string;
  /** The same for calls that take up to a minute: the router's function URL. */
  readonly functionUrl?: string;
  readonly endpointName: string;
  readonly region: string;
  readonly bucket: string;
  /** Ends with `/`; a TargetModel is an object's key without it. */
  readonly prefix: string;
  readonly table: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** For curl and browsers; only where callers need a key. */
  readonly apiKey?: string;
  readonly authentication: 'keys' | 'iam' | 'none';
  /** Name of the SSM parameter that secrets are derived from. */
  readonly masterKeyParameter: string;
  readonly awsEndpointUrl: string;
  /** The process that serves it. */
  readonly pid: number;
}

/** Read off the functions' own configuration, so that it cannot differ from what they do. */
export const describeEndpoint = ({
  url,
  functionUrls: [functionUrl],
  deployment,
}: Pick<Cloud, 'url' | 'functionUrls' | 'deployment'>): EndpointFile => {
  const [first] = deployment.functions;
  const variable = (name: string): string => {
    const value = first?.environment[name];
    if (value === undefined) throw new Error(`serverless.yml gives the functions no variable ${name}`);
    return value;
  };
  return {
    url,
    ...(functionUrl === undefined ? {} : { functionUrl }),
    endpointName: variable('ENDPOINT_NAME'),
    region: REGION,
    bucket: variable('MODELS_BUCKET'),
    prefix: variable('MODELS_PREFIX'),
    table: variable('TABLE_NAME'),
    ...CREDENTIALS,
    authentication: variable('AUTHENTICATION') as EndpointFile['authentication'],
    masterKeyParameter: variable('MASTER_KEY_PARAMETER'),
    awsEndpointUrl: url,
    pid: process.pid,
  };
};

export const writeEndpointFile = async (directory: string, endpoint: EndpointFile): Promise<void> => {
  const path = join(directory, 'endpoint.json');
  await writeFile(`${path}.${process.pid}`, `${JSON.stringify(endpoint, null, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.${process.pid}`, path);
};

export const removeEndpointFile = (directory: string): Promise<void> =>
  rm(join(directory, 'endpoint.json'), { force: true });
