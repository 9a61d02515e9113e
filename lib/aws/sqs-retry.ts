import { ChangeMessageVisibilityCommand, GetQueueUrlCommand, SQSClient } from '@aws-sdk/client-sqs';

export const createSqsClient = (): SQSClient =>
  new SQSClient({ maxAttempts: 2, requestHandler: { connectionTimeout: 1000, requestTimeout: 5000 } });

/**
 * Makes a message that was received from a queue come again after so many seconds.
 * @param queueArn `arn:aws:sqs:region:account:name`, of the event
 */
export const sqsRetry =
  (client: SQSClient) =>
  async (queueArn: string, receiptHandle: string, seconds: number): Promise<void> => {
    const [, , , , account, QueueName] = queueArn.split(':');
    const { QueueUrl } = await client.send(
      new GetQueueUrlCommand({ QueueName, QueueOwnerAWSAccountId: account }),
    );
    await client.send(
      new ChangeMessageVisibilityCommand({
        QueueUrl,
        ReceiptHandle: receiptHandle,
        VisibilityTimeout: Math.round(seconds),
      }),
    );
  };
