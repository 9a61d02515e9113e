import { randomUUID as newId } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { openAuthentication } from '../../lib/auth/open-authentication.ts';
import { dynamodbEndpointStore } from '../../lib/aws/dynamodb-endpoint-store.ts';
import { dynamodbFences } from '../../lib/aws/dynamodb-fences.ts';
import { dynamodbKeyStore } from '../../lib/aws/dynamodb-key-store.ts';
import { dynamodbPermits } from '../../lib/aws/dynamodb-permits.ts';
import { dynamodbRoutes } from '../../lib/aws/dynamodb-routes.ts';
import { dynamodbWorkerCatalog } from '../../lib/aws/dynamodb-worker-catalog.ts';
import { emfMetrics } from '../../lib/aws/emf-metrics.ts';
import { lambdaInvoker } from '../../lib/aws/lambda-invoker.ts';
import { lateContext } from '../../lib/aws/late-context.ts';
import { signedTable } from '../../lib/aws/signed-table.ts';
import { sqsJobQueue } from '../../lib/aws/sqs-job-queue.ts';
import { createSqsRequests } from '../../lib/aws/sqs-requests.ts';
import { ssmMasterKey } from '../../lib/aws/ssm-master-key.ts';
import { cachedRoutes } from '../../lib/catalog/cached-routes.ts';
import { deployedGroups } from '../../lib/catalog/deployed-groups.ts';
import { deployedRoutes } from '../../lib/catalog/deployed-routes.ts';
import { openEndpoints } from '../../lib/endpoints/open-endpoints.ts';
import { openDoors } from '../../lib/protocol/doors.ts';
import { createDispatch } from '../../lib/routing/dispatch.ts';
import { withFences } from '../../lib/routing/fences.ts';
import { parseRouterConfig } from './config.ts';
import { createRouter } from './router.ts';

const config = parseRouterConfig(process.env);
const log = lateContext(new Logger({ serviceName: 'router' }));
const groups = deployedGroups(config);
const { cold: coldGroups, coldTarget } = groups;
const table = signedTable(process.env, config.tableName);
const invoker = lambdaInvoker(process.env, { answerWithinMs: config.functionUrlAnswerMs });
const dimensions = { EndpointName: config.endpointName, VariantName: 'AllTraffic' };
const now = Date.now;
const timer = (): number => performance.now();
const endpoints = dynamodbEndpointStore(table);
const metrics = emfMetrics({ ...config, namespace: config.metricsNamespace, dimensions, now });
const onError = (error: unknown): void =>
  log.logger().warn('table not read: going on with what was known', { error });

const router = createRouter({
  ...config,
  ...openAuthentication({
    ...config,
    keys: dynamodbKeyStore(table),
    permits: dynamodbPermits(table),
    masterKey: ssmMasterKey(process.env, config.masterKeyParameter),
    now,
    onError,
  }),
  doorOf: openDoors(openEndpoints({ ...config, endpoints, now, onError }), { ...config, newId, now }),
  queue: sqsJobQueue(createSqsRequests(process.env), config.queueName),
  routes: cachedRoutes({
    source: deployedRoutes(dynamodbRoutes(table), groups),
    fallback: { epoch: 0, coldGroups, hot: new Map() },
    ttlMs: config.routesTtlMs,
    now,
    onError,
  }),
  dispatch: withFences(createDispatch({ invoker, coldTarget, timer }), {
    store: dynamodbFences(table),
    now,
    onError,
  }),
  metrics,
  loads: dynamodbWorkerCatalog(table),
  now,
  timer,
  onFault: (error, { requestContext }) => log.logger().error('request failed', { ...requestContext, error }),
});

/** No middleware: a chain of them takes longer than what they would do here (docs/performance.md). */
export const handler = log.aroundCalls(router, () => metrics.flushIfDue());
