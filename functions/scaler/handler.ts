import { Logger } from '@aws-lambda-powertools/logger';
import { createDynamoDBClient, dynamodbCatalog } from '../../lib/aws/dynamodb-catalog.ts';
import { deployedGroups } from '../../lib/catalog/deployed-groups.ts';
import { parseScalerConfig } from './config.ts';
import { createScaler, type TickReport } from './scaler.ts';

const config = parseScalerConfig(process.env);
const logger = new Logger({ serviceName: 'scaler' });

const tick = createScaler({
  catalog: dynamodbCatalog(createDynamoDBClient(), config.tableName),
  groups: deployedGroups(config),
});

export const handler = async (): Promise<TickReport> => {
  const report = await tick();
  logger.info('tick', { ...report });
  return report;
};
