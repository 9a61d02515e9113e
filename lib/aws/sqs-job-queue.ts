import { encodeJob, type JobQueue } from '../async/queued-job.ts';
import { type AwsEnvironment, createSignedRequests, readText } from './signed-requests.ts';

const IDLE_MS = 3000;

/**
 * The queue of asynchronous calls, by plain signed requests (the SDK's client would be a third of the router's bundle). A request that
 * is repeated may send a job twice, which is then run twice, to the same end.
 */
export const sqsJobQueue = (environment: AwsEnvironment, queueName: string): JobQueue => {
  const requests = createSignedRequests({ service: 'sqs', environment, idleMs: IDLE_MS });
  let finding: Promise<string> | undefined;

  const call = async (operation: string, input: object): Promise<{ readonly QueueUrl?: string }> => {
    const response = await requests.send({
      method: 'POST',
      path: '/',
      headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${operation}` },
      body: JSON.stringify(input),
    });
    const text = await readText(response);
    if (response.statusCode === 200) return JSON.parse(text) as { readonly QueueUrl?: string };
    throw new Error(
      `SQS answered ${response.statusCode} to ${operation} of ${queueName}: ${text.slice(0, 300)}`,
    );
  };

  const findQueue = async (): Promise<string> => {
    const { QueueUrl } = await call('GetQueueUrl', { QueueName: queueName });
    if (QueueUrl === undefined) throw new Error(`SQS knows no address of queue ${queueName}`);
    return QueueUrl;
  };

  return {
    async send(job) {
      finding ??= findQueue().catch((error: unknown) => {
        finding = undefined;
        throw error;
      });
      await call('SendMessage', { QueueUrl: await finding, MessageBody: encodeJob(job) });
    },
  };
};
