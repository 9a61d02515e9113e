import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import { openAuthentication } from '../../lib/auth/open-authentication.ts';
import { dynamodbKeyStore } from '../../lib/aws/dynamodb-key-store.ts';
import { dynamodbModelRows } from '../../lib/aws/dynamodb-model-rows.ts';
import { dynamodbPermits } from '../../lib/aws/dynamodb-permits.ts';
import { dynamodbPlanStore } from '../../lib/aws/dynamodb-plan-store.ts';
import { dynamodbRecords } from '../../lib/aws/dynamodb-records.ts';
import { dynamodbRoutes } from '../../lib/aws/dynamodb-routes.ts';
import { lambdaInvoker } from '../../lib/aws/lambda-invoker.ts';
import { s3ModelHead } from '../../lib/aws/s3-model-head.ts';
import { createS3Client, s3ModelObjects } from '../../lib/aws/s3-model-objects.ts';
import { createS3Requests, IMPATIENT } from '../../lib/aws/s3-requests.ts';
import { signedTable } from '../../lib/aws/signed-table.ts';
import { ssmMasterKey } from '../../lib/aws/ssm-master-key.ts';
import { deployedGroups } from '../../lib/catalog/deployed-groups.ts';
import { deployedRoutes } from '../../lib/catalog/deployed-routes.ts';
import { createManagement } from '../../lib/management/management.ts';
import { describeApi } from '../../lib/management/openapi.ts';
import type { HttpRequest, HttpResponse } from '../../lib/protocol/http.ts';
import { createDispatch } from '../../lib/routing/dispatch.ts';
import { createControlPlane } from '../../lib/sagemaker/control-plane.ts';
import { parseManagementConfig } from './config.ts';
import { createManagementFunction } from './management.ts';

const config = parseManagementConfig(process.env);
const logger = new Logger({ serviceName: 'management' });
const table = signedTable(process.env, config.tableName);
const plans = dynamodbPlanStore(table);
const groups = deployedGroups(config);
const { cold: coldGroups, coldTarget } = groups;
const { readRoutes } = deployedRoutes(dynamodbRoutes(table), groups);
const now = Date.now;
const timer = (): number => performance.now();

const management = createManagement({
  ...config,
  objects: s3ModelObjects(
    createS3Client(),
    config,
    s3ModelHead(createS3Requests(process.env, IMPATIENT), config),
  ),
  rows: dynamodbModelRows(table, plans),
  readRoutes: async () => (await readRoutes()) ?? { epoch: 0, coldGroups, hot: new Map() },
  readPlan: plans.readPlan,
  dispatch: createDispatch({ invoker: lambdaInvoker(process.env, config), coldTarget, timer }),
});

const answer = createManagementFunction({
  ...openAuthentication({
    ...config,
    keys: dynamodbKeyStore(table),
    permits: dynamodbPermits(table),
    masterKey: ssmMasterKey(process.env, config.masterKeyParameter),
    now,
    onError: (error) => logger.warn('keys not read: going on with what was known', { error }),
  }),
  management,
  controlPlane: createControlPlane({
    ...config,
    records: dynamodbRecords(table),
    now,
  }),
  describeApi,
  onFault: (error, { requestContext }) => logger.error('request failed', { ...requestContext, error }),
});

export const handler = middy<HttpRequest, HttpResponse>().use(injectLambdaContext(logger)).handler(answer);
