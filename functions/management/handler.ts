import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import { openAuthentication } from '../../lib/auth/open-authentication.ts';
import { createDynamoDBClient, dynamodbCatalog } from '../../lib/aws/dynamodb-catalog.ts';
import { dynamodbKeyStore } from '../../lib/aws/dynamodb-key-store.ts';
import { dynamodbModelRows } from '../../lib/aws/dynamodb-model-rows.ts';
import { dynamodbPermits } from '../../lib/aws/dynamodb-permits.ts';
import { dynamodbRecords } from '../../lib/aws/dynamodb-records.ts';
import { dynamodbScalerStore } from '../../lib/aws/dynamodb-scaler-store.ts';
import { createLambdaClient, lambdaInvoker } from '../../lib/aws/lambda-invoker.ts';
import { createS3Client, s3ModelObjects } from '../../lib/aws/s3-model-objects.ts';
import { ssmMasterKey } from '../../lib/aws/ssm-master-key.ts';
import { deployedGroups } from '../../lib/catalog/deployed-groups.ts';
import { createManagement } from '../../lib/management/management.ts';
import { describeApi } from '../../lib/management/openapi.ts';
import type { HttpRequest, HttpResponse } from '../../lib/protocol/http.ts';
import { createDispatch } from '../../lib/routing/dispatch.ts';
import { createControlPlane } from '../../lib/sagemaker/control-plane.ts';
import { parseManagementConfig } from './config.ts';
import { createManagementFunction } from './management.ts';

const config = parseManagementConfig(process.env);
const logger = new Logger({ serviceName: 'management' });
const dynamodb = createDynamoDBClient();
const catalog = dynamodbCatalog(dynamodb, config.tableName);
const store = dynamodbScalerStore(dynamodb, config.tableName);
const { cold: coldGroups, coldTarget } = deployedGroups(config);
const now = Date.now;

const management = createManagement({
  ...config,
  objects: s3ModelObjects(createS3Client(), config),
  rows: dynamodbModelRows(dynamodb, config.tableName, store),
  readRoutes: async () => (await catalog.readRoutes()) ?? { epoch: 0, coldGroups, hot: new Map() },
  readPlan: store.readPlan,
  dispatch: createDispatch({ invoker: lambdaInvoker(createLambdaClient(config)), coldTarget }),
});

const answer = createManagementFunction({
  ...openAuthentication({
    ...config,
    keys: dynamodbKeyStore(dynamodb, config.tableName),
    permits: dynamodbPermits(dynamodb, config.tableName),
    masterKey: ssmMasterKey(process.env, config.masterKeyParameter),
    now,
    onError: (error) => logger.warn('keys not read: going on with what was known', { error }),
  }),
  management,
  controlPlane: createControlPlane({
    ...config,
    records: dynamodbRecords(dynamodb, config.tableName),
    now,
  }),
  describeApi,
  onFault: (error, { requestContext }) => logger.error('request failed', { ...requestContext, error }),
});

export const handler = middy<HttpRequest, HttpResponse>().use(injectLambdaContext(logger)).handler(answer);
