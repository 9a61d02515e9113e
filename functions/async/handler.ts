import { Logger } from '@aws-lambda-powertools/logger';
import { createRunJobs, type Message } from '../../lib/async/run-jobs.ts';
import { dynamodbFences } from '../../lib/aws/dynamodb-fences.ts';
import { dynamodbRoutes } from '../../lib/aws/dynamodb-routes.ts';
import { lambdaInvoker } from '../../lib/aws/lambda-invoker.ts';
import { s3JobOutputs } from '../../lib/aws/s3-job-objects.ts';
import { createS3Put } from '../../lib/aws/s3-put.ts';
import { createS3Requests } from '../../lib/aws/s3-requests.ts';
import { signedTable } from '../../lib/aws/signed-table.ts';
import { createSqsRequests } from '../../lib/aws/sqs-requests.ts';
import { sqsRetry } from '../../lib/aws/sqs-retry.ts';
import { cachedRoutes } from '../../lib/catalog/cached-routes.ts';
import { deployedGroups } from '../../lib/catalog/deployed-groups.ts';
import { deployedRoutes } from '../../lib/catalog/deployed-routes.ts';
import { createDispatch } from '../../lib/routing/dispatch.ts';
import { withFences } from '../../lib/routing/fences.ts';
import { parseAsyncConfig } from './config.ts';

/** As routers hold them. */
const ROUTES_TTL_MS = 5000;

const config = parseAsyncConfig(process.env);
const logger = new Logger({ serviceName: 'async' });
const groups = deployedGroups(config);
const { cold: coldGroups, coldTarget } = groups;
const table = signedTable(process.env, config.tableName);
const routes = cachedRoutes({
  source: deployedRoutes(dynamodbRoutes(table), groups),
  fallback: { epoch: 0, coldGroups, hot: new Map() },
  ttlMs: ROUTES_TTL_MS,
  now: Date.now,
  onError: (error) => logger.warn('table not read: going on with what was known', { error }),
});
const onError = (error: unknown): void => logger.warn('fence not noted', { error });

const timer = (): number => performance.now();
const runJobs = createRunJobs({
  readRoutes: routes.current,
  dispatch: withFences(createDispatch({ invoker: lambdaInvoker(process.env, config), coldTarget, timer }), {
    store: dynamodbFences(table),
    now: Date.now,
    onError,
  }),
  objects: s3JobOutputs(createS3Put(createS3Requests(process.env))),
  retryIn: sqsRetry(createSqsRequests(process.env)),
  now: Date.now,
  onFault: (error, { messageId }) => logger.error('job not concluded', { messageId, error }),
});

interface QueueEvent {
  readonly Records: readonly Message[];
}

/** What the event source sends again (ReportBatchItemFailures). */
interface BatchResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

export const handler = async (
  event: QueueEvent,
  context: { getRemainingTimeInMillis(): number },
): Promise<BatchResponse> => {
  const again = await runJobs(event.Records, () => context.getRemainingTimeInMillis());
  return { batchItemFailures: again.map((itemIdentifier) => ({ itemIdentifier })) };
};
