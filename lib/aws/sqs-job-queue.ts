import { encodeJob, type JobQueue } from '../async/queued-job.ts';
import { type SqsRequests, sqsQueueUrl } from './sqs-requests.ts';

/** The queue of asynchronous calls. A request that is repeated may send a job twice, which is then run twice, to the same end. */
export const sqsJobQueue = (requests: SqsRequests, QueueName: string): JobQueue => {
  const queueUrl = sqsQueueUrl(requests, { QueueName });
  return {
    async send(job) {
      await requests.call('sqs:SendMessage', { QueueUrl: await queueUrl(), MessageBody: encodeJob(job) });
    },
  };
};
