import {
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  type QueueAttributeName,
  SendMessageCommand,
  SetQueueAttributesCommand,
} from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureQueues } from '../../../../local/services/sqs/ensure-queues.ts';
import { type SqsHarness, startSqs, T0 } from './sqs-harness.ts';

let sqs: SqsHarness;
beforeEach(async () => {
  sqs = await startSqs();
});
afterEach(() => sqs.close());

const attributesOf = async (QueueUrl: string, AttributeNames: QueueAttributeName[] = ['All']) =>
  (await sqs.client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }))).Attributes;
const redriveTo = (name: string): string =>
  JSON.stringify({ deadLetterTargetArn: `arn:aws:sqs:us-east-1:000000000000:${name}`, maxReceiveCount: 3 });

describe('queues', () => {
  it('have a URL of the local cloud, an ARN, and SQS’s defaults', async () => {
    const url = await sqs.create('work');

    expect(url).toBe(`${sqs.url}/000000000000/work`);
    expect(await sqs.client.send(new GetQueueUrlCommand({ QueueName: 'work' }))).toMatchObject({
      QueueUrl: url,
    });
    expect(await attributesOf(url)).toMatchObject({
      QueueArn: 'arn:aws:sqs:us-east-1:000000000000:work',
      VisibilityTimeout: '30',
      DelaySeconds: '0',
      MaximumMessageSize: '1048576',
      MessageRetentionPeriod: '345600',
      ReceiveMessageWaitTimeSeconds: '0',
      CreatedTimestamp: String(T0 / 1000),
    });
    expect(await attributesOf(url, ['DelaySeconds', 'RedrivePolicy'])).toEqual({ DelaySeconds: '0' });
    expect(await attributesOf(url, [])).toBeUndefined();
  });

  it('are made once: again with the same attributes is no error, with others it is', async () => {
    const url = await sqs.create('work', { VisibilityTimeout: '60' });

    expect(await sqs.create('work', { VisibilityTimeout: '60' })).toBe(url);
    await expect(sqs.create('work', { VisibilityTimeout: '61' })).rejects.toMatchObject({
      name: 'QueueNameExists',
    });
  });

  it('are listed by name, page by page', async () => {
    for (const name of ['b', 'a-2', 'a-1', 'a-3']) await sqs.create(name);
    const list = (input: object) => sqs.client.send(new ListQueuesCommand(input));

    const first = await list({ QueueNamePrefix: 'a-', MaxResults: 2 });
    const second = await list({ QueueNamePrefix: 'a-', MaxResults: 2, NextToken: first.NextToken });

    expect([...(first.QueueUrls ?? []), ...(second.QueueUrls ?? [])]).toEqual(
      ['a-1', 'a-2', 'a-3'].map((name) => `${sqs.url}/000000000000/${name}`),
    );
    expect(second.NextToken).toBeUndefined();
  });

  it('change by SetQueueAttributes, which also takes a redrive policy away', async () => {
    await sqs.create('dead');
    const QueueUrl = await sqs.create('work', { RedrivePolicy: redriveTo('dead') });
    const set = (Attributes: Record<string, string>) =>
      sqs.client.send(new SetQueueAttributesCommand({ QueueUrl, Attributes }));

    await set({ VisibilityTimeout: '0', RedrivePolicy: '' });
    await sqs.restart();

    expect(await attributesOf(QueueUrl)).toMatchObject({ VisibilityTimeout: '0' });
    expect(await attributesOf(QueueUrl)).not.toHaveProperty('RedrivePolicy');
  });

  it.each([
    [{ VisibilityTimeout: '43201' }, 'InvalidAttributeValue'],
    [{ VisibilityTimeout: 'x' }, 'InvalidAttributeValue'],
    [{ Colour: 'red' }, 'InvalidAttributeName'],
    [{ FifoQueue: 'true' }, 'UnsupportedOperation'],
    [{ RedrivePolicy: redriveTo('nowhere') }, 'InvalidParameterValue'],
    [{ RedrivePolicy: redriveTo('work') }, 'InvalidParameterValue'],
    [{ RedrivePolicy: '7' }, 'InvalidParameterValue'],
  ])('refuse %j', async (attributes, name) => {
    await expect(sqs.create('work', attributes as Record<string, string>)).rejects.toMatchObject({ name });
  });

  it('of a deployment are made and changed in any order, and keep their messages', async () => {
    const wanted = [
      { name: 'work', attributes: { RedrivePolicy: redriveTo('dead') } },
      { name: 'dead', attributes: { VisibilityTimeout: '7' } },
    ];
    await ensureQueues(sqs.queues(), wanted);
    const url = `${sqs.url}/000000000000/work`;
    await sqs.client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'x' }));

    await ensureQueues(sqs.queues(), [
      { name: 'work', attributes: { VisibilityTimeout: '9' } },
      { name: 'dead', attributes: {} },
    ]);

    expect(await attributesOf(url)).toMatchObject({
      VisibilityTimeout: '9',
      ApproximateNumberOfMessages: '1',
    });
    expect(await attributesOf(url)).not.toHaveProperty('RedrivePolicy');
    expect(await attributesOf(`${sqs.url}/000000000000/dead`)).toMatchObject({ VisibilityTimeout: '30' });
  });
});

describe('errors', () => {
  it.each([
    ['of another name', () => `${sqs.url}/000000000000/nowhere`],
    ['of another account', () => `${sqs.url}/111111111111/work`],
    ['that is no URL', () => 'work'],
  ])('say that there is no queue %s', async (_, url) => {
    await expect(
      fetch(sqs.url, {
        method: 'POST',
        headers: { 'x-amz-target': 'AmazonSQS.SendMessage' },
        body: JSON.stringify({ QueueUrl: url(), MessageBody: 'x' }),
      }).then(async (response) => [
        response.status,
        response.headers.get('x-amzn-query-error'),
        await response.json(),
      ]),
    ).resolves.toEqual([
      400,
      'AWS.SimpleQueueService.NonExistentQueue;Sender',
      { __type: 'com.amazonaws.sqs#QueueDoesNotExist', message: 'The specified queue does not exist.' },
    ]);
  });

  it('are typed to the SDK', async () => {
    await expect(sqs.client.send(new GetQueueUrlCommand({ QueueName: 'nowhere' }))).rejects.toMatchObject({
      name: 'QueueDoesNotExist',
      $metadata: { httpStatusCode: 400 },
    });
  });

  it.each([
    ['SendMessage', '{', 'SerializationException'],
    ['SendMessage', '[]', 'SerializationException'],
    ['SendMessage', '{}', 'MissingRequiredParameterException'],
    ['CreateQueue', '{"QueueName":"a.fifo"}', 'UnsupportedOperation'],
    ['CreateQueue', '{"QueueName":"a b"}', 'InvalidParameterValueException'],
    ['TagQueue', '{}', 'UnknownOperationException'],
    ['CreateQueue', '{"QueueName":7}', 'SerializationException'],
  ])('name what is wrong with %s %s', async (operation, body, type) => {
    const headers = { 'x-amz-target': `AmazonSQS.${operation}` };
    const response = await fetch(sqs.url, { method: 'POST', headers, body });

    expect(await response.json()).toMatchObject({ __type: `com.amazonaws.sqs#${type}` });
    expect(sqs.errors).toEqual([]);
  });
});
