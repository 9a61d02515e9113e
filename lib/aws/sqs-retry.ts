import { type SqsRequests, sqsQueueUrl } from './sqs-requests.ts';

/**
 * Makes a message that was received from a queue come again after so many seconds.
 * @param queueArn `arn:aws:sqs:region:account:name`, of the event
 */
export const sqsRetry = (requests: SqsRequests) => {
  let known: { readonly arn: string; readonly queueUrl: () => Promise<string> } | undefined;
  return async (queueArn: string, receiptHandle: string, seconds: number): Promise<void> => {
    const [, , , , QueueOwnerAWSAccountId = '', QueueName = ''] = queueArn.split(':');
    if (known?.arn !== queueArn) {
      known = { arn: queueArn, queueUrl: sqsQueueUrl(requests, { QueueName, QueueOwnerAWSAccountId }) };
    }
    await requests.call('sqs:ChangeMessageVisibility', {
      QueueUrl: await known.queueUrl(),
      ReceiptHandle: receiptHandle,
      VisibilityTimeout: Math.round(seconds),
    });
  };
};
