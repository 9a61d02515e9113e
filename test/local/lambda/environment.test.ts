import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { functionConfig, type Harness, type HarnessOptions, isAlive, startLambda } from './lambda-harness.ts';

let harness: Harness | undefined;
afterEach(async () => {
  await harness?.close();
  harness = undefined;
});

const start = async (functions: HarnessOptions['functions']): Promise<Harness> => {
  harness = await startLambda({ functions });
  return harness;
};

const invoke = async (event: unknown = {}, functionName = 'f') => {
  const result = await harness?.lambda.invoke({ functionName, payload: JSON.stringify(event) });
  return { ...result, value: JSON.parse(result?.payload ?? 'null') };
};

/** A second local Lambda in a process of its own, which tells the process id of its one environment. */
const forkService = (codeDirectory: string, directory: string) => {
  const script = join(directory, 'service.ts');
  const lambda = join(import.meta.dirname, '../../../local/lambda/lambda.ts');
  const config = functionConfig({ codeDirectory });
  const options = { functions: [config], directory: join(directory, 'second') };
  writeFileSync(
    script,
    `import { createLambda } from ${JSON.stringify(lambda)};
     const lambda = createLambda({ ...${JSON.stringify(options)}, now: Date.now, onError: console.error,
       settings: { limits: 'off', queueWaitMs: 5000, idleMs: 60000 } });
     const { payload } = await lambda.invoke({ functionName: 'f', payload: '{}' });
     process.send(JSON.parse(payload).pid);`,
  );
  return fork(script, [], { execArgv: [] });
};

const DANGEROUS = `
  export const handler = async (event) => {
    if (event.exit !== undefined) process.exit(event.exit);
    if (event.abort) process.abort();
    if (event.kill) process.kill(process.pid, 'SIGKILL');
    if (event.hang) await new Promise(() => setInterval(() => {}, 1000));
    if (event.spin) for (;;) {}
    if (event.throw) throw new TypeError(event.throw);
    if (event.eat) { globalThis.eaten = Buffer.alloc(event.eat, 1); await new Promise(() => setInterval(() => {}, 1000)); }
    return { pid: process.pid };
  };`;

describe('an execution environment', () => {
  it('answers with what the handler returns, and is used again', async () => {
    await start({ f: { source: DANGEROUS } });

    const first = await invoke();
    const second = await invoke();

    expect(first.functionError).toBeUndefined();
    expect(first.value.pid).not.toBe(process.pid);
    expect(second.value.pid).toBe(first.value.pid);
  });

  it.each([
    [
      'an ES module that awaits at top level',
      'handler.mjs',
      'const one = await Promise.resolve(1); export const handler = async () => one;',
    ],
    ['CommonJS', 'handler.cjs', 'exports.handler = async () => 1;'],
  ])('loads %s', async (_, file, source) => {
    await start({ f: { source, file } });

    expect((await invoke()).value).toBe(1);
  });

  it('prefers handler.mjs to handler.cjs, as Lambda does', async () => {
    const { directory } = await start({ f: { source: 'export const handler = async () => "mjs"' } });
    writeFileSync(join(directory, 'code', 'f', 'handler.cjs'), 'exports.handler = async () => "cjs"');

    expect((await invoke()).value).toBe('mjs');
  });

  it('gives the context and the variables of Lambda, and nothing of the parent', async () => {
    process.env['A_SECRET_OF_THE_USER'] = 'secret';
    await start({
      f: {
        source: `export const handler = async (event, context) => ({
          env: process.env, remaining: context.getRemainingTimeInMillis(), id: context.awsRequestId, arn: context.invokedFunctionArn, name: context.functionName, memory: context.memoryLimitInMB });`,
        environment: { TABLE: 'catalog', AWS_ACCESS_KEY_ID: 'local' },
      },
    });

    const { value, requestId } = await invoke();

    expect(value.env).toMatchObject({
      TABLE: 'catalog',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_LAMBDA_FUNCTION_NAME: 'f',
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      AWS_REGION: 'us-east-1',
    });
    expect(JSON.stringify(value.env)).not.toContain('secret');
    expect(value).toMatchObject({
      id: requestId,
      arn: 'arn:aws:lambda:us-east-1:000000000000:function:f',
      name: 'f',
      memory: '512',
    });
    expect(value.remaining).toBeGreaterThan(25_000);
    delete process.env['A_SECRET_OF_THE_USER'];
  });

  it('has a folder for temporary files to itself, which goes with it', async () => {
    const source = `import { tmpdir } from 'node:os'; import { writeFileSync } from 'node:fs';
      export const handler = async () => { writeFileSync(tmpdir() + '/x', 'x'); return tmpdir(); };`;
    await start({ f: { source }, g: { source } });

    const f = (await invoke({}, 'f')).value;
    const g = (await invoke({}, 'g')).value;

    expect(f).not.toBe(g);
    expect(existsSync(join(f, 'x'))).toBe(true);
    await harness?.lambda.close();
    expect(existsSync(f)).toBe(false);
  });

  it('reports what the handler throws', async () => {
    await start({ f: { source: DANGEROUS } });

    const { functionError, value } = await invoke({ throw: 'bad' });

    expect(functionError).toBe('Unhandled');
    expect(value).toMatchObject({ errorType: 'TypeError', errorMessage: 'bad', trace: expect.any(Array) });
    expect((await invoke()).functionError).toBeUndefined();
  });

  it.each([
    ['throws a string', 'throw "bad"', { errorType: 'string', errorMessage: 'bad', trace: [] }],
    ['returns what is no JSON', 'return 1n', { errorType: 'Runtime.JSONStringifyError' }],
  ])('reports a handler that %s', async (_, body, expected) => {
    await start({ f: { source: `export const handler = async () => { ${body} };` } });

    expect(await invoke()).toMatchObject({ functionError: 'Unhandled', value: expected });
  });

  it.each([
    [
      'throws where nobody catches',
      'setImmediate(() => { throw new TypeError("loose") })',
      'TypeError',
      'loose',
    ],
    [
      'rejects where nobody looks',
      'void Promise.reject(new Error("loose"))',
      'Runtime.UnhandledPromiseRejection',
      'Error: loose',
    ],
  ])('ends when a handler %s, and says why', async (_, body, errorType, errorMessage) => {
    const source = `export const handler = async (event) => {
      if (event.loose) { ${body}; await new Promise(() => setInterval(() => {}, 1000)); }
      return process.pid;
    };`;
    await start({ f: { source } });
    const { value: before } = await invoke();

    const { functionError, value } = await invoke({ loose: true });

    expect(functionError).toBe('Unhandled');
    expect(value).toMatchObject({ errorType, errorMessage });
    expect((await invoke()).value).not.toBe(before);
  });

  it.each([
    ['awaits for ever', { hang: true }],
    ['never yields', { spin: true }],
  ])('is killed when a handler %s', async (_, event) => {
    await start({ f: { source: DANGEROUS, timeoutSeconds: 1 } });
    const { value: before } = await invoke();

    const { functionError, value, requestId } = await invoke(event);

    expect(functionError).toBe('Unhandled');
    expect(value).toEqual({
      errorType: 'Sandbox.Timedout',
      errorMessage: `RequestId: ${requestId} Error: Task timed out after 1.00 seconds`,
    });
    expect((await invoke()).value.pid).not.toBe(before.pid);
  });

  it('is killed when it outgrows its memory', async () => {
    await start({ f: { source: DANGEROUS, memorySizeMb: 128 } });

    const { functionError, value } = await invoke({ eat: 300 * 1024 * 1024 });

    expect(functionError).toBe('Unhandled');
    expect(value.errorType).toBe('Runtime.OutOfMemory');
    expect(value.errorMessage).toMatch(/Memory Size: 128 MB Max Memory Used: \d{3} MB/);
    expect((await invoke()).functionError).toBeUndefined();
  });

  it.each([
    ['exits', { exit: 3 }, 'exit status 3'],
    ['crashes in native code', { abort: true }, 'signal: aborted'],
    ['is killed from outside', { kill: true }, 'signal: killed'],
  ])('costs only the call that it serves when it %s', async (_, event, how) => {
    await start({ f: { source: DANGEROUS } });

    const { value } = await invoke(event);

    expect(value.errorType).toBe('Runtime.ExitError');
    expect(value.errorMessage).toContain(`Runtime exited with error: ${how}`);
    expect((await invoke()).functionError).toBeUndefined();
  });

  it.each([
    ['does not exist', 'missing.handler', 'Runtime.ImportModuleError', /Cannot find module 'missing'/],
    ['exports no handler', 'handler.main', 'Runtime.HandlerNotFound', /handler.main is undefined/],
  ])('tells the caller that its module %s', async (_, handler, errorType, message) => {
    await start({ f: { source: 'export const handler = 1', handler } });

    const { functionError, value } = await invoke();

    expect(functionError).toBe('Unhandled');
    expect(value).toMatchObject({ errorType, errorMessage: expect.stringMatching(message) });
  });

  it.each([
    ['is no JavaScript', { source: 'export const handler = (' }, 'Runtime.UserCodeSyntaxError'],
    ['is named without an export', { source: '', handler: 'handler' }, 'Runtime.MalformedHandlerName'],
    [
      'requires what is not there',
      { source: 'require("not-there")', file: 'handler.cjs' },
      'Runtime.ImportModuleError',
    ],
  ])('tells the caller that its module %s', async (_, config, errorType) => {
    await start({ f: config });

    expect((await invoke()).value.errorType).toBe(errorType);
  });

  it('tells the caller what its module throws while loading, every time', async () => {
    await start({ f: { source: 'throw new Error("no TABLE_NAME")' } });

    expect((await invoke()).value.errorMessage).toBe('no TABLE_NAME');
    expect((await invoke()).value.errorMessage).toBe('no TABLE_NAME');
  });

  it('passes large payloads both ways', async () => {
    await start({ f: { source: 'export const handler = async (event) => event' } });
    const event = { text: 'é'.repeat(2_500_000) };

    expect((await invoke(event)).value).toEqual(event);
  });

  it('keeps its answer when it ends right after it', async () => {
    const source = 'export const handler = async () => { setImmediate(() => process.exit(0)); return 1; }';
    await start({ f: { source } });

    for (let call = 0; call < 5; call++) {
      const { functionError, value } = await invoke();
      // The next event may reach a process that is about to end: it says so, and is not lost.
      expect(functionError === undefined ? value : value.errorType).toSatisfy(
        (result) => result === 1 || result === 'Runtime.ExitError',
      );
    }
  });

  it('cannot be started without its code, and says so', async () => {
    await start({ f: { source: '', codeDirectory: '/nowhere' } });

    expect((await invoke()).value.errorMessage).toContain('ENOENT');
  });

  it('outlives the Ctrl-C that ends its parent in its own time', async () => {
    await start({ f: { source: DANGEROUS } });
    const { value } = await invoke();

    process.kill(value.pid, 'SIGINT');

    expect((await invoke()).value.pid).toBe(value.pid);
  });

  it('keeps what Node compiled for the next one', async () => {
    const { directory } = await start({ f: { source: DANGEROUS } });

    await invoke();

    const compiled = join(directory, 'environments', 'compiled');
    await vi.waitFor(() => expect(readdirSync(compiled).length).toBeGreaterThan(0));
  });

  it('is gone when the service is closed', async () => {
    const { lambda } = await start({ f: { source: DANGEROUS } });
    const { value } = await invoke();
    const stuck = lambda.invoke({ functionName: 'f', payload: '{"spin":true}' });

    await lambda.close();

    expect(isAlive(value.pid)).toBe(false);
    expect((await stuck).functionError).toBe('Unhandled');
  });

  it('ends when its parent is killed', async () => {
    const { directory } = await start({ f: { source: DANGEROUS } });
    const parent = forkService(join(directory, 'code', 'f'), directory);
    const [pid] = (await once(parent, 'message')) as [number];

    parent.kill('SIGKILL');

    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 5000 });
  });
});
