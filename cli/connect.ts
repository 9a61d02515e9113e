import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SSMClient } from '@aws-sdk/client-ssm';
import { dynamodbKeyStore, type KeyAdmin } from '../lib/aws/dynamodb-key-store.ts';
import { dynamodbScalerStore } from '../lib/aws/dynamodb-scaler-store.ts';
import type { ScalerStore } from '../lib/scaling/scaler-store.ts';
import type { EndpointFile } from '../local/endpoint-file.ts';
import type { Options } from './arguments.ts';

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
  readonly endpointName: string;
  /** @throws Unable where nobody has said it */
  readonly url: () => string;
}

/** @throws Unable when no stage is given and nothing runs on this machine */
export const connect = async (
  { deployed }: Pick<Options, 'deployed'>,
  localDirectory: string,
): Promise<Connection> => {
  if (deployed === undefined) return connectLocal(await readEndpointFile(localDirectory));
  const { stage, region, service, bucket, url } = deployed;
  const dynamodb = new DynamoDBClient({ region });
  const s3 = new S3Client({ region });
  const ssm = new SSMClient({ region });
  const table = `${service}-${stage}-catalog`;
  const apiKey = process.env['MME_API_KEY'];
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
    url: () => {
      if (url !== undefined) return url;
      throw new Unable('give --url, the endpoint that serverless deploy printed');
    },
    [Symbol.dispose]: () => {
      for (const client of [dynamodb, s3, ssm]) client.destroy();
    },
  };
};

const connectLocal = (file: EndpointFile): Connection => {
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
