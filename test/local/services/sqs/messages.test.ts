import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  PurgeQueueCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type SqsHarness, startSqs, T0 } from './sqs-harness.ts';

let sqs: SqsHarness;
let QueueUrl: string;
beforeEach(async () => {
  sqs = await startSqs();
  QueueUrl = await sqs.create('work');
});
afterEach(async () => {
  await sqs.close();
  expect(sqs.errors).toEqual([]);
});

const send = (MessageBody: string, input: object = {}) =>
  sqs.client.send(new SendMessageCommand({ QueueUrl, MessageBody, ...input }));
const bodies = async (input: object = {}) =>
  (await sqs.receive(QueueUrl, { MaxNumberOfMessages: 10, ...input })).map(({ Body }) => Body);
const remove = (ReceiptHandle: string | undefined) =>
  sqs.client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));

describe('a message', () => {
  it('comes as it was sent, with its attributes and what SQS knows of it', async () => {
    const sent = await send('häll\u{1f600} "o"\n', {
      MessageAttributes: {
        tenant: { DataType: 'String', StringValue: 'ä' },
        size: { DataType: 'Number.int', StringValue: '42' },
        bytes: { DataType: 'Binary', BinaryValue: Buffer.from([0, 255]) },
      },
      MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: 'Root=1' } },
    });
    sqs.nowMs += 1000;

    const [message] = await sqs.receive(QueueUrl, {
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: ['All'],
    });

    expect(message).toMatchObject({
      MessageId: sent.MessageId,
      Body: 'häll\u{1f600} "o"\n',
      MD5OfBody: sent.MD5OfMessageBody,
      MD5OfMessageAttributes: sent.MD5OfMessageAttributes,
      MessageAttributes: {
        tenant: { DataType: 'String', StringValue: 'ä' },
        size: { DataType: 'Number.int', StringValue: '42' },
        bytes: { DataType: 'Binary', BinaryValue: new Uint8Array([0, 255]) },
      },
      Attributes: {
        ApproximateReceiveCount: '1',
        SentTimestamp: String(T0),
        ApproximateFirstReceiveTimestamp: String(T0 + 1000),
        AWSTraceHeader: 'Root=1',
      },
    });
  });

  it.each([
    [[], undefined],
    [['a.*'], ['a.x', 'a.y']],
    [['b'], ['b']],
    [['.*'], ['a.x', 'a.y', 'b']],
  ])('tells those attributes that are asked for: %j', async (MessageAttributeNames, expected) => {
    const attribute = { DataType: 'String', StringValue: 'v' };
    await send('x', { MessageAttributes: { 'a.x': attribute, 'a.y': attribute, b: attribute } });

    const [message] = await sqs.receive(QueueUrl, { MessageAttributeNames });

    expect(message?.MessageAttributes && Object.keys(message.MessageAttributes)).toEqual(expected);
    expect(message?.Attributes).toBeUndefined();
  });

  it('is seen by one receiver until its visibility timeout is over, and then again, counted', async () => {
    await send('x');
    const [first] = await sqs.receive(QueueUrl, { VisibilityTimeout: 60 });

    sqs.nowMs += 59_999;
    expect(await bodies()).toEqual([]);
    sqs.nowMs += 1;
    const [second] = await sqs.receive(QueueUrl, {
      MessageSystemAttributeNames: ['ApproximateReceiveCount'],
    });

    expect(second?.Attributes).toEqual({ ApproximateReceiveCount: '2' });
    expect(second?.ReceiptHandle).not.toBe(first?.ReceiptHandle);
  });

  it('is gone once it is deleted, also after its visibility timeout', async () => {
    await send('x');
    const [message] = await sqs.receive(QueueUrl);
    sqs.nowMs += 31_000;

    await remove(message?.ReceiptHandle);
    await remove(message?.ReceiptHandle);

    expect(await bodies()).toEqual([]);
  });

  it('stays when a stale receipt is used: another receiver has it', async () => {
    await send('x');
    const [stale] = await sqs.receive(QueueUrl);
    sqs.nowMs += 31_000;
    await sqs.receive(QueueUrl);

    await remove(stale?.ReceiptHandle);

    sqs.nowMs += 31_000;
    expect(await bodies()).toEqual(['x']);
  });

  it('is not seen before its delay is over, the queue’s or its own', async () => {
    const url = await sqs.create('late', { DelaySeconds: '5' });
    await sqs.client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'queue’s' }));
    await sqs.client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'own', DelaySeconds: 9 }));

    expect(await sqs.receive(url, { MaxNumberOfMessages: 10 })).toEqual([]);
    sqs.nowMs += 5000;
    expect((await sqs.receive(url, { MaxNumberOfMessages: 10 })).map(({ Body }) => Body)).toEqual([
      'queue’s',
    ]);
    sqs.nowMs += 4000;
    expect((await sqs.receive(url, { MaxNumberOfMessages: 10 })).map(({ Body }) => Body)).toEqual(['own']);
  });

  it('is kept no longer than the retention period', async () => {
    await send('old');
    sqs.nowMs += 345_600_000 - 1;
    await send('new');
    sqs.nowMs += 1;

    expect(await bodies()).toEqual(['new']);
  });

  it('is shown earlier or later when its visibility is changed, up to 12 hours after it was received', async () => {
    await send('x');
    const [message] = await sqs.receive(QueueUrl);
    const change = (VisibilityTimeout: number) =>
      sqs.client.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl,
          ReceiptHandle: message?.ReceiptHandle,
          VisibilityTimeout,
        }),
      );

    await change(100);
    sqs.nowMs += 99_000;
    expect(await bodies()).toEqual([]);
    await expect(change(43_200)).rejects.toMatchObject({ message: expect.stringContaining('43200 seconds') });
    await change(0);
    await expect(change(1)).rejects.toMatchObject({ name: 'MessageNotInflight' });
    expect(await bodies()).toEqual(['x']);
  });
});

describe('a long poll', () => {
  it('is answered as soon as there is a message', async () => {
    const polled = sqs.receive(QueueUrl, { WaitTimeSeconds: 20 });
    await send('x');

    expect((await polled).map(({ Body }) => Body)).toEqual(['x']);
  });

  it('is answered when a message becomes visible again', async () => {
    await send('x');
    await sqs.receive(QueueUrl, { VisibilityTimeout: 10 });
    const polled = sqs.receive(QueueUrl, { WaitTimeSeconds: 20 });

    sqs.nowMs += 10_000;

    expect((await polled).map(({ Body }) => Body)).toEqual(['x']);
  });

  it('ends with nothing when its time is over, also by the queue’s attribute', async () => {
    const url = await sqs.create('patient', { ReceiveMessageWaitTimeSeconds: '20' });
    const polled = [
      sqs.receive(QueueUrl, { WaitTimeSeconds: 20 }),
      sqs.receive(url, { WaitTimeSeconds: undefined }),
    ];
    let isAnswered = false;
    const answered = Promise.all(polled).finally(() => {
      isAnswered = true;
    });

    // They begin to wait when their requests are there, which is not at once.
    while (!isAnswered) {
      sqs.nowMs += 20_000;
      await bodies();
    }

    expect(await answered).toEqual([[], []]);
  });

  it('takes no message once its client is gone', async () => {
    const gone = new AbortController();
    const polled = fetch(QueueUrl, {
      method: 'POST',
      headers: { 'x-amz-target': 'AmazonSQS.ReceiveMessage' },
      body: JSON.stringify({ QueueUrl, WaitTimeSeconds: 20 }),
      signal: gone.signal,
    });
    // Its request is there once a later one is answered.
    await bodies();
    gone.abort();
    await expect(polled).rejects.toThrow();
    await bodies();
    await send('x');

    expect(await bodies()).toEqual(['x']);
  });
});

describe('batches', () => {
  it('say of each entry how it went', async () => {
    const sent = await sqs.client.send(
      new SendMessageBatchCommand({
        QueueUrl,
        Entries: [
          { Id: 'good', MessageBody: 'x' },
          { Id: 'bad', MessageBody: '\u0000' },
        ],
      }),
    );
    const [message] = await sqs.receive(QueueUrl);
    const entries = [
      { Id: 'good', ReceiptHandle: message?.ReceiptHandle, VisibilityTimeout: 50 },
      { Id: 'bad', ReceiptHandle: 'x', VisibilityTimeout: 50 },
    ];
    const changed = await sqs.client.send(
      new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries: entries }),
    );
    const deleted = await sqs.client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries: entries }));

    expect(sent.Successful).toMatchObject([{ Id: 'good', MessageId: message?.MessageId }]);
    expect(sent.Failed).toMatchObject([{ Id: 'bad', Code: 'InvalidMessageContents', SenderFault: true }]);
    for (const { Successful, Failed } of [changed, deleted]) {
      expect(Successful).toMatchObject([{ Id: 'good' }]);
      expect(Failed).toMatchObject([{ Id: 'bad', Code: 'ReceiptHandleIsInvalid' }]);
    }
  });

  it.each([
    [[], 'EmptyBatchRequest'],
    [
      Array.from({ length: 11 }, (_, n) => ({ Id: `${n}`, MessageBody: 'x' })),
      'TooManyEntriesInBatchRequest',
    ],
    [['a', 'a'].map((Id) => ({ Id, MessageBody: 'x' })), 'BatchEntryIdsNotDistinct'],
    [[{ Id: 'a b', MessageBody: 'x' }], 'InvalidBatchEntryId'],
    [['a', 'b'].map((Id) => ({ Id, MessageBody: 'x'.repeat(524_289) })), 'BatchRequestTooLong'],
  ])('are refused as a whole (%#)', async (Entries, name) => {
    await expect(sqs.client.send(new SendMessageBatchCommand({ QueueUrl, Entries }))).rejects.toMatchObject({
      name,
    });
  });

  it('are received ten at a time, in the order of arrival', async () => {
    const Entries = Array.from({ length: 10 }, (_, n) => ({ Id: `${n}`, MessageBody: `${n}` }));
    await sqs.client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    await send('10');

    expect(await bodies()).toEqual(Entries.map(({ MessageBody }) => MessageBody));
    expect(await bodies()).toEqual(['10']);
  });
});

describe('bounds', () => {
  it('takes 1 MiB with attributes, and not a byte more', async () => {
    const MessageAttributes = { ab: { DataType: 'String', StringValue: 'cd' } };
    await send('x'.repeat(1_048_576 - 10), { MessageAttributes });

    await expect(send('x'.repeat(1_048_576 - 9), { MessageAttributes })).rejects.toMatchObject({
      name: 'InvalidParameterValue',
      message: expect.stringContaining('must be shorter than 1048576 bytes'),
    });
    expect((await sqs.receive(QueueUrl))[0]?.Body).toHaveLength(1_048_566);
  });

  it('takes 1 MiB that a client wrote as escapes of six characters', async () => {
    const body = 'é'.repeat(524_288);
    const text = JSON.stringify({ QueueUrl, MessageBody: body }).replaceAll('é', '\\u00e9');
    const response = await fetch(sqs.url, {
      method: 'POST',
      headers: { 'x-amz-target': 'AmazonSQS.SendMessage' },
      body: text,
    });

    expect(response.status).toBe(200);
    expect((await sqs.receive(QueueUrl))[0]?.Body).toBe(body);
  });

  it.each([[{ MaxNumberOfMessages: 11 }], [{ WaitTimeSeconds: 21 }], [{ VisibilityTimeout: 43_201 }]])(
    'refuses to receive with %j',
    async (input) => {
      await expect(sqs.receive(QueueUrl, input)).rejects.toMatchObject({
        name: 'InvalidParameterValue',
      });
    },
  );

  it('holds no more messages in all than it was told', async () => {
    const small = await startSqs({ maxMessages: 2 });
    const url = await small.create('small');
    const sendTo = () => small.client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'x' }));
    await sendTo();
    await sendTo();

    await expect(sendTo()).rejects.toMatchObject({ name: 'OverLimit' });
    await small.close();
  });

  it('purges, once in a minute', async () => {
    await send('x');
    const purge = () => sqs.client.send(new PurgeQueueCommand({ QueueUrl }));
    await purge();

    expect(await bodies()).toEqual([]);
    await expect(purge()).rejects.toMatchObject({ name: 'PurgeQueueInProgress' });
    sqs.nowMs += 60_000;
    await purge();
  });

  it('counts what is ready, in flight and delayed', async () => {
    await send('a');
    await send('b');
    await send('c', { DelaySeconds: 60 });
    await sqs.receive(QueueUrl);

    const { Attributes } = await sqs.client.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
    );

    expect(Attributes).toMatchObject({
      ApproximateNumberOfMessages: '1',
      ApproximateNumberOfMessagesNotVisible: '1',
      ApproximateNumberOfMessagesDelayed: '1',
    });
  });
});

describe('a queue with dead letters', () => {
  it('moves a message that was received often enough, with its id, and says where it came from', async () => {
    const dead = await sqs.create('dead');
    const policy = { deadLetterTargetArn: 'arn:aws:sqs:us-east-1:000000000000:dead', maxReceiveCount: '2' };
    QueueUrl = await sqs.create('strict', { RedrivePolicy: JSON.stringify(policy) });
    const sent = await send('poison');
    for (let receive = 0; receive < 2; receive++) {
      expect((await sqs.receive(QueueUrl))[0]?.Body).toBe('poison');
      sqs.nowMs += 30_000;
    }
    await send('fine');

    expect(await bodies()).toEqual(['fine']);
    expect(await sqs.receive(dead, { MessageSystemAttributeNames: ['All'] })).toMatchObject([
      {
        MessageId: sent.MessageId,
        Body: 'poison',
        Attributes: {
          DeadLetterQueueSourceArn: 'arn:aws:sqs:us-east-1:000000000000:strict',
          SentTimestamp: String(T0),
        },
      },
    ]);
  });
});

describe('a restart', () => {
  it('keeps queues, messages, their order, receipts and what is in flight', async () => {
    for (const body of ['a', 'b', 'c', 'd']) await send(body);
    const [a, b] = await sqs.receive(QueueUrl, { MaxNumberOfMessages: 2 });
    await remove(a?.ReceiptHandle);

    await sqs.restart();

    await send('e');
    expect(await bodies()).toEqual(['c', 'd', 'e']);
    await remove(b?.ReceiptHandle);
    sqs.nowMs += 30_000;
    expect((await bodies()).sort()).toEqual(['c', 'd', 'e']);
  });

  it('ends a long poll with nothing', async () => {
    const polled = sqs.receive(QueueUrl, { WaitTimeSeconds: 20 });
    await bodies();

    await sqs.restart();

    expect(await polled).toEqual([]);
  });
});
