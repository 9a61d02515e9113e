import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Document, LoadedModel } from '../../../../lib/engines/engine.ts';
import type { ServingError } from '../../../../lib/errors.ts';
import { runContext } from '../../../fixtures/run-context.ts';
import { artifacts, document, ECHO, engineWith } from './harness.ts';

const { load } = artifacts();
let neighbour: LoadedModel;
beforeAll(async () => {
  neighbour = await load(ECHO);
});
afterAll(() => neighbour[Symbol.asyncDispose]());

/** A model that does what the call says, and else counts the calls that its thread has seen. */
const model = (faults: Readonly<Record<string, string>>): string => `
  const faults = { ${Object.entries(faults)
    .map(([name, body]) => `'${name}': async () => { ${body} }`)
    .join(', ')} };
  const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  let calls = 0;
  const kept = [];
  export const handle = async (name) => { calls += 1; return name in faults ? faults[name]() : calls; };
`;

const run = (of: LoadedModel, value: unknown = 'count', remainingMs = 10_000) =>
  of.run(document(value), runContext({ remainingMs }));

describe('a fault in one call', () => {
  const FAULTS: readonly (readonly [string, string, RegExp])[] = [
    [
      'throws',
      "throw new TypeError('no such column')",
      /^model.mjs failed: TypeError: no such column \(model.mjs:1\)$/,
    ],
    ['throws no error', "throw 'a string'", /^model.mjs failed: a string$/],
    ['throws nothing', 'throw undefined', /^model.mjs failed: undefined$/],
    [
      'throws a path',
      "await import('node:fs').then((fs) => fs.readFileSync('/etc/secret/file'))",
      /open 'file'/,
    ],
    ['throws a novel', "throw new Error('x'.repeat(1e6))", /^model.mjs failed: x{300}$/],
    [
      'throws what throws',
      "throw new Proxy({}, { getPrototypeOf() { throw new Error('again') } })",
      /cannot be read/,
    ],
    [
      'throws a getter',
      "throw Object.defineProperty(new Error(), 'message', { get() { throw 1 } })",
      /cannot be read/,
    ],
    ['overflows the stack', 'const deeper = () => deeper() + 1; deeper()', /Maximum call stack/],
    ['signals the process', "process.kill(process.pid, 'SIGKILL')", /process.kill is off/],
    [
      'sets flags',
      "process.getBuiltinModule('v8').setFlagsFromString('--stack-size=1')",
      /FromString is off/,
    ],
    ['answers undefined', 'return undefined', /the answer is undefined, which JSON cannot say/],
    ['answers a function', 'return () => 1', /the answer is a function/],
    ['answers a function inside', 'return { a: [{ b() {} }] }', /the answer.a\[0\].b is a function/],
    ['answers a symbol', 'return [Symbol.iterator]', /the answer\[0\] is a symbol/],
    ['answers a bigint', 'return { n: 1n }', /the answer.n is a bigint/],
    ['answers NaN', 'return [NaN]', /the answer\[0\] is NaN/],
    [
      'answers a promise inside',
      'return { p: Promise.resolve(1) }',
      /the answer.p is a Promise, .*: await it/,
    ],
    ['answers a Map', 'return new Map()', /the answer is a Map/],
    ['answers a typed array inside', 'return { x: new Float32Array(1) }', /the answer.x is a Float32Array/],
    ['answers itself', 'const a = {}; a.a = a; return a', /the answer is circular/],
    ['answers a getter that throws', "return { get a() { throw new Error('got') } }", /failed: got/],
    [
      'answers a proxy that throws',
      "return new Proxy({}, { ownKeys() { throw new Error('keys') } })",
      /failed: keys/,
    ],
    ['answers by a then that throws', "return { then() { throw new Error('then') } }", /failed: then/],
    [
      'answers too much',
      "return 'x'.repeat(40 * 1024 * 1024)",
      /has 41943042 bytes, and at most 33554432 are taken/,
    ],
    ['answers too many bytes', 'return new Uint8Array(40 * 1024 * 1024)', /at most 33554432 are taken/],
  ];
  let faulty: LoadedModel;
  beforeAll(async () => {
    const byName = Object.fromEntries(FAULTS.map(([name, fault]) => [name, fault]));
    faulty = await load(model(byName).replaceAll('\n', ''), {
      engine: engineWith({ limits: { externalMb: 512 } }),
    });
  });
  afterAll(() => faulty[Symbol.asyncDispose]());

  it.each(FAULTS)('keeps the thread: one that %s', async (name, _, message) => {
    const { document: before } = (await run(faulty)) as Document;

    await expect(run(faulty, name)).rejects.toMatchObject({
      code: 'ModelError',
      message: expect.stringMatching(message),
    });

    expect(await run(faulty)).toEqual({ document: Number(before) + 2 });
    expect(await run(neighbour)).toEqual({ document: 'count' });
  });
});

describe('a fault that ends the thread', () => {
  it.each([
    ['loops', 'for (;;) {}', /^model.mjs took longer than 150 ms to answer, and its thread was stopped$/],
    ['never settles', 'await new Promise(() => {})', /took longer than 150 ms/],
    [
      'waits for good',
      'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)',
      /took longer than 150 ms/,
    ],
    ['exits', 'process.exit(3)', /^model.mjs ended its own thread \(process.exit, code 3\)$/],
    [
      'throws elsewhere',
      "setTimeout(() => { throw new Error('late') }); await later(1e6)",
      /threw outside of a call.*: late/,
    ],
    [
      'rejects elsewhere',
      "Promise.reject(new Error('lost')); await later(1e6)",
      /left a rejection unhandled.*: lost/,
    ],
    ['rejects without an error', 'Promise.reject(null); await later(1e6)', /left a rejection unhandled/],
    [
      'fills the heap',
      'for (;;) kept.push([1.5, 2.5].concat(kept.length))',
      /ran out of memory: its heap may take 16 MB$/,
    ],
    [
      'fills memory outside the heap',
      'for (;;) { kept.push(new ArrayBuffer(1e6)); await later(0); }',
      /took \d+ MB outside the heap .* where 8 MB are allowed/,
    ],
    [
      'closes what it finds',
      'process._getActiveHandles().forEach((handle) => handle.close?.()); await later(1e6)',
      /took longer than 150 ms|ended its own thread/,
    ],
  ])('is told, and the next call works: one that %s', async (_, fault, message) => {
    const handleMs = message.source.includes('150 ms') ? 150 : 10_000;
    const limits = { heapMb: 16, externalMb: 8, handleMs };
    await using faulty = await load(model({ fault }), { engine: engineWith({ limits }) });
    expect(await run(faulty)).toEqual({ document: 1 });

    await expect(run(faulty, 'fault')).rejects.toMatchObject({
      code: 'ModelError',
      message: expect.stringMatching(message),
    });

    expect(await run(faulty)).toEqual({ document: 1 });
    expect(await run(neighbour)).toEqual({ document: 'count' });
  });

  it('is told to all calls under way', async () => {
    await using faulty = await load(model({ wait: 'await later(1e6)', exit: 'process.exit()' }));

    const calls = await Promise.allSettled([run(faulty, 'wait'), run(faulty, 'wait'), run(faulty, 'exit')]);

    expect(calls.map((call) => call.status === 'rejected' && call.reason.message)).toEqual(
      Array(3).fill('model.mjs ended its own thread (process.exit, code 0)'),
    );
    expect(await run(faulty)).toEqual({ document: 1 });
  });

  it('is not waited for where it hangs in a system call, and such threads do not pile up', async () => {
    const hang = "process.getBuiltinModule('node:child_process').execSync('sleep 1.5')";
    await using faulty = await load(model({ hang }), { engine: engineWith({ limits: { handleMs: 50 } }) });

    for (let thread = 0; thread < 3; thread += 1) {
      await expect(run(faulty, 'hang')).rejects.toThrow('took longer than 50 ms');
    }

    await expect(run(faulty)).rejects.toThrow('threads of model.mjs that were stopped have not ended yet');
    expect(await run(neighbour)).toEqual({ document: 'count' });
  });

  it('harms nobody where it finds the channel and sends what it likes', async () => {
    const junk = `
      const port = process._getActiveHandles().find((handle) => handle.constructor.name === 'MessagePort');
      for (const message of [
        null, 1, {}, { kind: 'predict' }, { kind: 'answer', id: 99 }, { kind: 'answer', id: 1, payload: null },
      ]) port?.postMessage(message);
    `;
    await using faulty = await load(model({ junk }));

    await run(faulty, 'junk').catch(({ code }: ServingError) => expect(code).toBe('ModelError'));

    expect(await run(faulty)).toEqual({ document: expect.any(Number) });
    expect(await run(neighbour)).toEqual({ document: 'count' });
  });

  it('waits no longer than the caller does', async () => {
    await using faulty = await load(model({ hang: 'for (;;) {}' }));

    await expect(run(faulty, 'hang', 60)).rejects.toThrow(/took longer than \d\d ms/);

    expect(await run(faulty)).toEqual({ document: 1 });
  });

  it('does not take the thread of a caller who has no time left', async () => {
    await using fine = await load(model({}));
    await run(fine);

    await expect(run(fine, 'count', 0)).rejects.toMatchObject({ code: 'ModelError' });

    expect(await run(fine)).toEqual({ document: 2 });
  });

  it('needs no call: the next one finds another thread', async () => {
    await using faulty = await load(
      model({ later: 'setTimeout(() => process.exit(), 1); return calls', wait: 'await later(1e6)' }),
    );
    expect(await run(faulty, 'later')).toEqual({ document: 1 });
    await expect(run(faulty, 'wait')).rejects.toThrow(/ended its own thread/);

    expect(await run(faulty)).toEqual({ document: 1 });
  });
});

describe('a leak', () => {
  it('outside the heap costs the thread, between calls', async () => {
    let nowMs = 0;
    const engine = engineWith({ limits: { externalMb: 32 }, now: () => nowMs });
    await using leaky = await load(model({ leak: 'kept.push(new ArrayBuffer(40e6)); return calls' }), {
      engine,
    });
    nowMs += 100;

    expect(await run(leaky, 'leak')).toEqual({ document: 1 });
    expect(await run(leaky)).toEqual({ document: 1 });
    expect(await run(leaky)).toEqual({ document: 2 });
  });

  it('is seen after 20 calls where the clock stands still', async () => {
    const engine = engineWith({ limits: { externalMb: 32 }, now: () => 0 });
    await using leaky = await load(model({ leak: 'kept.push(new ArrayBuffer(40e6)); return calls' }), {
      engine,
    });
    await run(leaky, 'leak');

    const counts: unknown[] = [];
    for (let call = 0; call < 20; call += 1) counts.push(await run(leaky));

    expect(counts.at(18)).toEqual({ document: 20 });
    expect(counts.at(19)).toEqual({ document: 1 });
  });
});

describe('calls that come together', () => {
  it('are each given their own answer, in whatever order they end', async () => {
    await using faulty = await load(`
      const waiting = [];
      export const handle = (value, { predict }) => new Promise((resolve) => {
        waiting.push(() => resolve(value));
        if (waiting.length === 3) waiting.reverse().forEach((answer) => answer());
      });
    `);

    const answers = await Promise.all(['a', 'b', 'c'].map((value) => run(faulty, value)));

    expect(answers).toEqual([{ document: 'a' }, { document: 'b' }, { document: 'c' }]);
  });

  it('share the thread that is started for them', async () => {
    await using faulty = await load(model({ exit: 'process.exit()' }));
    await run(faulty, 'exit').catch(() => {});

    const answers = await Promise.all([run(faulty), run(faulty), run(faulty)]);

    expect(answers).toEqual([{ document: 1 }, { document: 2 }, { document: 3 }]);
  });

  it('fail when the model is closed', async () => {
    const hanging = await load(model({ hang: 'for (;;) {}' }));
    const call = run(hanging, 'hang');
    const failed = expect(call).rejects.toMatchObject({
      code: 'ModelError',
      message: 'the model was closed',
    });
    await run(neighbour);

    await hanging[Symbol.asyncDispose]();

    await failed;
  });
});
