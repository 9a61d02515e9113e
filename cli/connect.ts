import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { dynamodbScalerStore } from '../lib/aws/dynamodb-scaler-store.ts';
import type { ScalerStore } from '../lib/scaling/scaler-store.ts';
import type { EndpointFile } from '../local/endpoint-file.ts';
import type { Options } from './arguments.ts';

/** Nothing to connect to; the message says what to do. */
export class NoEndpoint extends Error {
  override readonly name = 'NoEndpoint';
}

/** @throws NoEndpoint when no stage is given and nothing runs on this machine */
export const connect = async (
  { deployed }: Pick<Options, 'deployed'>,
  localDirectory: string,
): Promise<{ readonly store: ScalerStore; readonly close: () => void }> => {
  const { client, table } =
    deployed === undefined
      ? await localTable(localDirectory)
      : {
          client: new DynamoDBClient({ region: deployed.region }),
          table: `${deployed.service}-${deployed.stage}-catalog`,
        };
  return { store: dynamodbScalerStore(client, table), close: () => client.destroy() };
};

const localTable = async (directory: string): Promise<{ client: DynamoDBClient; table: string }> => {
  const file = join(directory, 'endpoint.json');
  const text = await readFile(file, 'utf8').catch(() => {
    throw new NoEndpoint(
      `no endpoint runs on this machine (there is no ${file}): start one with npm start, or give --stage for one in AWS`,
    );
  });
  const { awsEndpointUrl, region, table, accessKeyId, secretAccessKey } = JSON.parse(text) as EndpointFile;
  const credentials = { accessKeyId, secretAccessKey };
  return { client: new DynamoDBClient({ endpoint: awsEndpointUrl, region, credentials }), table };
};
