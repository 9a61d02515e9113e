import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  GetAliasCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  ListAliasesCommand,
  ListFunctionsCommand,
  ListLayersCommand,
  ListVersionsByFunctionCommand,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Harness, startLambda } from './lambda-harness.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await startLambda({
    functions: {
      echo: {
        source: 'export const handler = async (event) => { console.log("echoing"); return { event }; }',
      },
      fail: { source: 'export const handler = async () => { throw new Error("oops"); }' },
      context: {
        source:
          'export const handler = async (_, { clientContext, invokedFunctionArn: arn }) => ({ clientContext, arn })',
      },
      slow: {
        source: `import { existsSync } from 'node:fs';
          export const handler = async ({ gate }) => {
            while (gate && !existsSync(gate)) await new Promise((resolve) => setTimeout(resolve, 5));
          };`,
      },
      big: { source: 'export const handler = async () => "x".repeat(6_300_000)' },
    },
    settings: { limits: 'aws' },
  });
});
afterAll(() => harness.close());

const invoke = async (input: Partial<ConstructorParameters<typeof InvokeCommand>[0]> = {}) => {
  const output = await harness.client.send(
    new InvokeCommand({ FunctionName: 'echo', Payload: Buffer.from('{"a":1}'), ...input }),
  );
  const text = Buffer.from(output.Payload ?? []).toString();
  return { ...output, value: text === '' ? undefined : JSON.parse(text) };
};

describe("Lambda's REST API, asked by an unchanged SDK", () => {
  it.each([
    ['a name', { FunctionName: 'echo' }, '$LATEST'],
    ['an alias', { FunctionName: 'echo', Qualifier: 'live' }, '1'],
    ['a version', { FunctionName: 'echo', Qualifier: '1' }, '1'],
    ['an ARN', { FunctionName: 'arn:aws:lambda:us-east-1:000000000000:function:echo:live' }, '1'],
    ['a partial ARN', { FunctionName: '000000000000:function:echo' }, '$LATEST'],
  ])('invokes by %s', async (_, input, version) => {
    const output = await invoke(input);

    expect(output).toMatchObject({ StatusCode: 200, ExecutedVersion: version, value: { event: { a: 1 } } });
    expect(output.FunctionError).toBeUndefined();
  });

  it('hands the client context and the ARN as called to the function', async () => {
    const ClientContext = Buffer.from('{"custom":{"a":1}}').toString('base64');

    const { value } = await invoke({ FunctionName: 'context', Qualifier: 'live', ClientContext });

    expect(value).toEqual({
      clientContext: { custom: { a: 1 } },
      arn: 'arn:aws:lambda:us-east-1:000000000000:function:context:live',
    });
  });

  it('passes 5 MB both ways', async () => {
    const text = 'é'.repeat(2_500_000);

    const { value } = await invoke({ Payload: Buffer.from(JSON.stringify({ text })) });

    expect(value.event.text).toBe(text);
  });

  it('says that a function failed', async () => {
    const output = await invoke({ FunctionName: 'fail' });

    expect(output).toMatchObject({
      StatusCode: 200,
      FunctionError: 'Unhandled',
      value: { errorMessage: 'oops' },
    });
  });

  it('gives the tail of the log', async () => {
    const { LogResult } = await invoke({ LogType: 'Tail' });

    expect(Buffer.from(LogResult ?? '', 'base64').toString()).toContain('echoing');
  });

  it('takes an event to be run later', async () => {
    expect((await invoke({ InvocationType: 'Event' })).StatusCode).toBe(202);
    await invoke({ FunctionName: 'fail', InvocationType: 'Event' });
    await vi.waitFor(() => expect(harness.lambda.status().some(({ state }) => state === 'busy')).toBe(false));
  });

  it('tries a call without making it', async () => {
    expect((await invoke({ InvocationType: 'DryRun' })).StatusCode).toBe(204);
    await expect(invoke({ InvocationType: 'DryRun', FunctionName: 'none' })).rejects.toThrow('not found');
  });

  it('takes an empty payload for an empty event', async () => {
    expect((await invoke({ Payload: Buffer.alloc(0) })).value).toEqual({ event: {} });
  });

  it.each([
    ['an unknown function', { FunctionName: 'none' }, 'ResourceNotFoundException', 404],
    ['an unknown alias', { Qualifier: 'next' }, 'ResourceNotFoundException', 404],
    ['what is not JSON', { Payload: Buffer.from('{"a":') }, 'InvalidRequestContentException', 400],
    [
      'an asynchronous event that is not JSON',
      { Payload: Buffer.from('{'), InvocationType: 'Event' as const },
      'InvalidRequestContentException',
      400,
    ],
    ['a client context that is not JSON', { ClientContext: 'e30x' }, 'InvalidRequestContentException', 400],
    ['an event over 6 MB', { Payload: Buffer.alloc(6_291_457, '1') }, 'RequestTooLargeException', 413],
  ])('refuses %s', async (_, input, name, status) => {
    await expect(invoke(input)).rejects.toMatchObject({ name, $metadata: { httpStatusCode: status } });
  });

  it('refuses an answer over 6 MB', async () => {
    const { FunctionError, value } = await invoke({ FunctionName: 'big' });

    expect(FunctionError).toBe('Unhandled');
    expect(value.errorType).toBe('Function.ResponseSizeTooLarge');
  });

  it('throttles in the words that an SDK knows', async () => {
    const gate = join(harness.directory, 'gate');
    const Payload = Buffer.from(JSON.stringify({ gate }));
    await invoke({ FunctionName: 'slow', Payload, InvocationType: 'Event' });

    await expect(invoke({ FunctionName: 'slow' })).rejects.toMatchObject({
      name: 'TooManyRequestsException',
      Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
      retryAfterSeconds: '1',
    });
    writeFileSync(gate, '');
    await vi.waitFor(async () => expect((await invoke({ FunctionName: 'slow' })).StatusCode).toBe(200), 5000);
  });

  it('describes functions and aliases', async () => {
    const { client } = harness;

    const listed = await client.send(new ListFunctionsCommand({}));
    const aliases = await client.send(new ListAliasesCommand({ FunctionName: 'echo' }));
    const alias = await client.send(new GetAliasCommand({ FunctionName: 'echo', Name: 'live' }));
    const versions = await client.send(new ListVersionsByFunctionCommand({ FunctionName: 'echo' }));
    const one = await client.send(
      new GetFunctionConfigurationCommand({ FunctionName: 'echo', Qualifier: 'live' }),
    );

    expect(listed.Functions?.map(({ FunctionName }) => FunctionName)).toEqual([
      'echo',
      'fail',
      'context',
      'slow',
      'big',
    ]);
    expect(aliases.Aliases).toMatchObject([{ Name: 'live', FunctionVersion: '1' }]);
    expect(alias).toMatchObject({ Name: 'live', FunctionVersion: '1' });
    expect(versions.Versions?.map(({ Version }) => Version)).toEqual(['$LATEST', '1']);
    await expect(
      client.send(new GetAliasCommand({ FunctionName: 'echo', Name: 'none' })),
    ).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    expect(one).toMatchObject({ FunctionName: 'echo', Version: '1', MemorySize: 512, Timeout: 30 });
  });

  it('says what it does not have', async () => {
    await expect(harness.client.send(new ListLayersCommand({}))).rejects.toThrow(
      'The local Lambda has no GET',
    );
  });
});
