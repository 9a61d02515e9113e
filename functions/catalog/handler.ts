import { Logger } from '@aws-lambda-powertools/logger';
import { dynamodbLiftFence } from '../../lib/aws/dynamodb-lift-fence.ts';
import { dynamodbObjectNotes } from '../../lib/aws/dynamodb-object-notes.ts';
import { s3ModelHead } from '../../lib/aws/s3-model-head.ts';
import { createS3Requests, IMPATIENT } from '../../lib/aws/s3-requests.ts';
import { signedTable } from '../../lib/aws/signed-table.ts';
import { createNoteObjects } from '../../lib/catalog/object-events.ts';
import { isModelName } from '../../lib/models/model-name.ts';
import { createCatalogFunction } from './catalog.ts';
import { parseCatalogConfig } from './config.ts';

const config = parseCatalogConfig(process.env);
const logger = new Logger({ serviceName: 'catalog' });
const table = signedTable(process.env, config.tableName);
const head = s3ModelHead(createS3Requests(process.env, IMPATIENT), config);

export const handler = createCatalogFunction({
  noteObject: createNoteObjects({
    ...config,
    isModelName,
    exists: async (model) => (await head(model)) !== undefined,
    note: dynamodbObjectNotes(table),
    lift: dynamodbLiftFence(table),
  }),
  onFault: (error, messageId) => logger.error('event not noted; it comes again', { messageId, error }),
});
