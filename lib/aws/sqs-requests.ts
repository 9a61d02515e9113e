import { type AwsEnvironment, createSignedRequests, readText } from './signed-requests.ts';

const IDLE_MS = 3000;

interface SqsAnswer {
  readonly QueueUrl?: string;
}

export interface SqsRequests {
  /** @throws Error with the status and SQS's words */
  call(action: `sqs:${string}`, input: object): Promise<SqsAnswer>;
}

/** Requests of SQS without the SDK, whose client would be most of the functions that use it. */
export const createSqsRequests = (environment: AwsEnvironment): SqsRequests => {
  const requests = createSignedRequests({ service: 'sqs', environment, idleMs: IDLE_MS });
  return {
    async call(action, input) {
      const operation = action.slice('sqs:'.length);
      const response = await requests.send({
        action,
        method: 'POST',
        path: '/',
        headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${operation}` },
        body: JSON.stringify(input),
      });
      const text = await readText(response);
      if (response.statusCode === 200) return text === '' ? {} : (JSON.parse(text) as SqsAnswer);
      throw new Error(`SQS answered ${response.statusCode} to ${operation}: ${text.slice(0, 300)}`);
    },
  };
};

/** Address of a queue, which is asked for once. */
export const sqsQueueUrl = (
  { call }: SqsRequests,
  input: { readonly QueueName: string; readonly QueueOwnerAWSAccountId?: string },
): (() => Promise<string>) => {
  let finding: Promise<string> | undefined;
  const find = async (): Promise<string> => {
    const { QueueUrl } = await call('sqs:GetQueueUrl', input);
    if (QueueUrl === undefined) throw new Error(`SQS knows no address of queue ${input.QueueName}`);
    return QueueUrl;
  };
  return () => {
    finding ??= find().catch((error: unknown) => {
      finding = undefined;
      throw error;
    });
    return finding;
  };
};
