import { Logger } from '@aws-lambda-powertools/logger';
import { createDynamoDBClient } from '../../lib/aws/dynamodb-catalog.ts';
import { dynamodbFences } from '../../lib/aws/dynamodb-fences.ts';
import { dynamodbObjectNotes } from '../../lib/aws/dynamodb-object-notes.ts';
import { createS3Client, s3ModelObjects } from '../../lib/aws/s3-model-objects.ts';
import { createNoteObjects } from '../../lib/catalog/object-events.ts';
import { isModelName } from '../../lib/models/model-name.ts';
import { createCatalogFunction } from './catalog.ts';
import { parseCatalogConfig } from './config.ts';

const config = parseCatalogConfig(process.env);
const logger = new Logger({ serviceName: 'catalog' });
const dynamodb = createDynamoDBClient();
const fences = dynamodbFences(dynamodb, config.tableName);
const objects = s3ModelObjects(createS3Client(), config);

export const handler = createCatalogFunction({
  noteObject: createNoteObjects({
    ...config,
    isModelName,
    exists: async (model) => (await objects.head(model)) !== undefined,
    note: dynamodbObjectNotes(dynamodb, config.tableName),
    lift: fences.lift,
  }),
  onFault: (error, messageId) => logger.error('event not noted; it comes again', { messageId, error }),
});
