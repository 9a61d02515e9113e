import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import { createDynamoDBClient, dynamodbCatalog } from '../../lib/aws/dynamodb-catalog.ts';
import { dynamodbWorkerCatalog } from '../../lib/aws/dynamodb-worker-catalog.ts';
import { emfMetrics } from '../../lib/aws/emf-metrics.ts';
import { createLambdaClient, lambdaInvoker } from '../../lib/aws/lambda-invoker.ts';
import { cachedRoutes } from '../../lib/catalog/cached-routes.ts';
import { deployedGroups } from '../../lib/catalog/deployed-groups.ts';
import { openDoors } from '../../lib/protocol/doors.ts';
import type { HttpRequest, HttpResponse } from '../../lib/protocol/http.ts';
import { createDispatch } from '../../lib/routing/dispatch.ts';
import { parseRouterConfig } from './config.ts';
import { createRouter } from './router.ts';

const config = parseRouterConfig(process.env);
const logger = new Logger({ serviceName: 'router' });
const groups = deployedGroups(config);
const metrics = emfMetrics({
  namespace: config.metricsNamespace,
  dimensions: { EndpointName: config.endpointName, VariantName: 'AllTraffic' },
  flushEveryMs: config.flushEveryMs,
  now: Date.now,
});

const router = createRouter({
  doorOf: openDoors(config.endpointName),
  routes: cachedRoutes({
    source: dynamodbCatalog(createDynamoDBClient(), config.tableName),
    fallback: { epoch: 0, coldGroups: groups.cold, hot: new Map() },
    ttlMs: config.routesTtlMs,
    now: Date.now,
    onError: (error) => logger.warn('routes not read: serving from those last known', { error }),
  }),
  dispatch: createDispatch({
    invoker: lambdaInvoker(createLambdaClient(config)),
    coldTarget: groups.coldTarget,
  }),
  metrics,
  answerWithinMs: config.answerWithinMs,
  loads: dynamodbWorkerCatalog(process.env, config.tableName),
  now: Date.now,
  timer: () => performance.now(),
  onFault: (error, { requestContext }) => logger.error('request failed', { ...requestContext, error }),
});

export const handler = middy<HttpRequest, HttpResponse>()
  .use([injectLambdaContext(logger), { before: () => metrics.flushIfDue() }])
  .handler(router);
