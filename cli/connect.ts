import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SSMClient } from '@aws-sdk/client-ssm';
import { dynamodbKeyStore, type KeyAdmin } from '../lib/aws/dynamodb-key-store.ts';
import { dynamodbScalerStore } from '../lib/aws/dynamodb-scaler-store.ts';
import type { ScalerStore } from '../lib/scaling/scaler-store.ts';
import type { EndpointFile } from '../local/endpoint-file.ts';
import type { Deployed, Remote } from './deployed.ts';
import { cloudwatchLogs } from './logs/cloudwatch-logs.ts';
import { fileLogs } from './logs/file-logs.ts';
import type { LogSource } from './logs/log-source.ts';

/** Nothing to connect to, or nothing there; the message says what to do. */
export class Unable extends Error {
  override readonly name = 'Unable';
}

/** One endpoint, local or deployed. */
export interface Connection extends Disposable {
  readonly store: ScalerStore;
  readonly keys: KeyAdmin;
  readonly ssm: SSMClient;
  readonly masterKeyName: string;
  /** Sent with every call of the endpoint. */
  readonly headers: Readonly<Record<string, string>>;
  readonly s3: S3Client;
  readonly bucket: string;
  readonly prefix: string;
  /** As SageMaker's clients call it; absent where only an address is known. */
  readonly endpointName: string | undefined;
  /** Only what goes over HTTP works. */
  readonly isRemote?: true;
  /** @throws Unable where nobody has said it */
  readonly url: () => string;
  readonly logs: LogSource;
}

/** @throws Unable when no stage is given and nothing runs on this machine */
export const connect = async (
  deployed: Deployed | Remote | undefined,
  localDirectory: string,
  environment: NodeJS.ProcessEnv,
): Promise<Connection> => {
  if (deployed === undefined) return connectLocal(await readEndpointFile(localDirectory), localDirectory);
  if (!('stage' in deployed)) return connectRemote(deployed, environment);
  const { stage, region, service, bucket, endpoint } = deployed;
  const dynamodb = new DynamoDBClient({ region });
  const s3 = new S3Client({ region });
  const ssm = new SSMClient({ region });
  const table = `${service}-${stage}-catalog`;
  const apiKey = environment['MME_API_KEY'];
  return {
    store: dynamodbScalerStore(dynamodb, table),
    keys: dynamodbKeyStore(dynamodb, table),
    ssm,
    masterKeyName: `/${service}-${stage}/master-key`,
    headers: apiKey === undefined ? {} : { 'x-api-key': apiKey },
    s3,
    bucket,
    prefix: 'models/',
    endpointName: `${service}-${stage}`,
    logs: cloudwatchLogs(new CloudWatchLogsClient({ region }), `${service}-${stage}-`),
    url: () => {
      if (endpoint !== undefined) return endpoint.replace(/\/+$/, '');
      throw new Unable('give --endpoint (or MME_ENDPOINT): the address that serverless deploy printed');
    },
    [Symbol.dispose]: () => {
      for (const client of [dynamodb, s3, ssm]) client.destroy();
    },
  };
};

/** With an address and a key alone: what goes over HTTP works, and the rest says what it needs. */
const connectRemote = ({ endpoint }: Remote, environment: NodeJS.ProcessEnv): Connection => {
  const apiKey = environment['MME_API_KEY'];
  const lacking = (): never => {
    throw new Unable('this works on the bucket and the table of a deployment: give --stage as well');
  };
  return {
    isRemote: true,
    store: { ...NO_STORE, takeLease: lacking, writeState: lacking, writePlan: lacking },
    headers: apiKey === undefined ? {} : { 'x-api-key': apiKey },
    endpointName: undefined,
    url: () => endpoint.replace(/\/+$/, ''),
    prefix: 'models/',
    get keys() {
      return lacking();
    },
    get ssm() {
      return lacking();
    },
    get masterKeyName() {
      return lacking();
    },
    get s3() {
      return lacking();
    },
    get bucket() {
      return lacking();
    },
    get logs() {
      return lacking();
    },
    [Symbol.dispose]: () => undefined,
  };
};

/** Nothing is known of workers without the table. */
const NO_STORE: Pick<ScalerStore, 'readState' | 'readPlan' | 'readModels' | 'listWishes'> = {
  readState: async () => undefined,
  readPlan: async () => undefined,
  readModels: async () => [],
  listWishes: async () => [],
};

const connectLocal = (file: EndpointFile, directory: string): Connection => {
  const { accessKeyId, secretAccessKey, region, awsEndpointUrl: endpoint } = file;
  const options = { endpoint, region, credentials: { accessKeyId, secretAccessKey } };
  const dynamodb = new DynamoDBClient(options);
  const s3 = new S3Client({ ...options, forcePathStyle: true });
  const ssm = new SSMClient(options);
  return {
    store: dynamodbScalerStore(dynamodb, file.table),
    keys: dynamodbKeyStore(dynamodb, file.table),
    ssm,
    masterKeyName: file.masterKeyParameter,
    headers: file.apiKey === undefined ? {} : { 'x-api-key': file.apiKey },
    s3,
    bucket: file.bucket,
    prefix: file.prefix,
    endpointName: file.endpointName,
    logs: fileLogs(join(directory, 'logs'), `${file.endpointName}-`),
    url: () => file.url,
    [Symbol.dispose]: () => {
      for (const client of [dynamodb, s3, ssm]) client.destroy();
    },
  };
};

const readEndpointFile = async (directory: string): Promise<EndpointFile> => {
  const file = join(directory, 'endpoint.json');
  const text = await readFile(file, 'utf8').catch(() => {
    throw new Unable(
      `no endpoint runs on this machine (there is no ${file}): start one with npm start, or give --stage for one in AWS`,
    );
  });
  return JSON.parse(text) as EndpointFile;
};
