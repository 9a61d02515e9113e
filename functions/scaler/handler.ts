import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import { cloudwatchMetrics, createCloudWatchClient } from '../../lib/aws/cloudwatch-metrics.ts';
import { dynamodbCatalog } from '../../lib/aws/dynamodb-catalog.ts';
import { dynamodbScalerStore } from '../../lib/aws/dynamodb-scaler-store.ts';
import { createFleetClient, lambdaFleet } from '../../lib/aws/lambda-fleet.ts';
import { signedTable } from '../../lib/aws/signed-table.ts';
import { createPace } from '../../lib/scaling/pace.ts';
import { parseScalerConfig } from './config.ts';
import { createScaler, type TickReport } from './scaler.ts';

const config = parseScalerConfig(process.env);
const logger = new Logger({ serviceName: 'scaler' });
const table = signedTable(process.env, config.tableName);

const tick = createScaler({
  ...config,
  catalog: dynamodbCatalog(table),
  store: dynamodbScalerStore(table),
  fleet: lambdaFleet(createFleetClient()),
  metrics: cloudwatchMetrics(createCloudWatchClient()),
  now: Date.now,
  pace: createPace({ perSecond: 5, now: Date.now, sleep }),
  onFault: (error) => logger.warn('Lambda did not do what was asked; the next tick asks again', { error }),
});

export const handler = async (): Promise<TickReport> => {
  const report = await tick();
  logger.info('tick', { ...report });
  return report;
};
