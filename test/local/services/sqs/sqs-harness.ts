import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateQueueCommand,
  type Message,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { Queues, QueuesOptions } from '../../../../local/services/sqs/queues.ts';
import { openSqs, type SqsService } from '../../../../local/services/sqs/sqs.ts';

export const T0 = Date.UTC(2026, 0, 1);

export interface SqsHarness {
  /** An unchanged SDK client, which checks the MD5 of all it sends and receives. */
  readonly client: SQSClient;
  readonly url: string;
  readonly errors: unknown[];
  readonly queues: () => Queues;
  /** Time is set, and does not pass. */
  nowMs: number;
  create(name: string, attributes?: Record<string, string>): Promise<string>;
  receive(
    QueueUrl: string,
    input?: Omit<ReceiveMessageCommandInput, 'QueueUrl'>,
  ): Promise<readonly Message[]>;
  /** Closes and opens again, as a stop and a start would. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export const startSqs = async (options: Partial<QueuesOptions> = {}): Promise<SqsHarness> => {
  const directory = await mkdtemp(join(tmpdir(), 'sqs-'));
  const errors: unknown[] = [];
  const clock = { nowMs: T0 };
  const server = createServer((request, response) => sqs.handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const open = (): Promise<SqsService> =>
    openSqs({ directory, url, now: () => clock.nowMs, onError: (error) => errors.push(error), ...options });
  let sqs = await open();
  const client = new SQSClient({ endpoint: url, region: 'us-east-1', maxAttempts: 1 });

  return Object.assign(clock, {
    client,
    url,
    errors,
    queues: () => sqs.queues,
    create: async (QueueName: string, Attributes: Record<string, string> = {}) => {
      const { QueueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName, Attributes }));
      return QueueUrl;
    },
    receive: async (QueueUrl: string, input: Omit<ReceiveMessageCommandInput, 'QueueUrl'> = {}) => {
      const { Messages = [] } = await client.send(
        new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 0, ...input }),
      );
      return Messages;
    },
    restart: async () => {
      await sqs.close();
      sqs = await open();
    },
    close: async () => {
      client.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await sqs.close();
      await rm(directory, { recursive: true, force: true });
    },
  });
};
