import { join } from 'node:path';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SSMClient } from '@aws-sdk/client-ssm';
import { dynamodbKeyAdmin, type KeyAdmin } from '../lib/aws/dynamodb-key-admin.ts';
import { dynamodbScalerStore } from '../lib/aws/dynamodb-scaler-store.ts';
import type { ScalerStore } from '../lib/scaling/scaler-store.ts';
import type { EndpointFile } from '../local/endpoint-file.ts';
import type { Deployed, Remote } from './deployed.ts';
import { cloudwatchLogs } from './logs/cloudwatch-logs.ts';
import { fileLogs } from './logs/file-logs.ts';
import type { LogSource } from './logs/log-source.ts';
import { lookUpStack } from './look-up-stack.ts';
import { deployedModels, localModels, type ModelBucket } from './model-bucket.ts';
import { readEndpointFile } from './read-endpoint-file.ts';
import { sdkTable } from './sdk-table.ts';
import { Unable } from './unable.ts';

/** One endpoint, local or deployed. */
export interface Connection extends ModelBucket, Disposable {
  readonly store: ScalerStore;
  readonly keys: KeyAdmin;
  readonly ssm: SSMClient;
  readonly masterKeyName: string;
  /** Sent with every call of the endpoint. */
  readonly headers: Readonly<Record<string, string>>;
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
  const found = await lookUpStack(deployed);
  const { stage, region, service, endpoint } = found;
  const dynamodb = new DynamoDBClient({ region });
  const models = deployedModels(found);
  const ssm = new SSMClient({ region });
  const cloudwatch = new CloudWatchLogsClient({ region });
  const table = sdkTable(dynamodb, `${service}-${stage}-catalog`);
  const apiKey = environment['MME_API_KEY'];
  return {
    store: dynamodbScalerStore(table),
    keys: dynamodbKeyAdmin(table),
    ssm,
    masterKeyName: `/${service}-${stage}/master-key`,
    headers: apiKey === undefined ? {} : { 'x-api-key': apiKey },
    ...models,
    endpointName: found.endpointName,
    logs: cloudwatchLogs({ client: cloudwatch, functionPrefix: `${service}-${stage}-`, now: Date.now }),
    url: () => {
      if (endpoint !== undefined) return endpoint.replace(/\/+$/, '');
      throw new Unable('give --endpoint (or MME_ENDPOINT): the address that serverless deploy printed');
    },
    [Symbol.dispose]: () => {
      for (const client of [dynamodb, models.s3, ssm, cloudwatch]) client.destroy();
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
  const models = localModels(file);
  const ssm = new SSMClient(options);
  const table = sdkTable(dynamodb, file.table);
  return {
    store: dynamodbScalerStore(table),
    keys: dynamodbKeyAdmin(table),
    ssm,
    masterKeyName: file.masterKeyParameter,
    headers: file.apiKey === undefined ? {} : { 'x-api-key': file.apiKey },
    ...models,
    endpointName: file.endpointName,
    logs: fileLogs(join(directory, 'logs'), `${file.endpointName}-`),
    url: () => file.url,
    [Symbol.dispose]: () => {
      for (const client of [dynamodb, models.s3, ssm]) client.destroy();
    },
  };
};
