import { describe, expect, it } from 'vitest';
import { runContext } from '../../../fixtures/run-context.ts';
import { artifacts, document, ECHO, engineWith } from './harness.ts';

const { load } = artifacts();

describe('a model.mjs that cannot be loaded', () => {
  it.each([
    [
      'does not parse',
      'export const handle = ( => 1',
      /^model.mjs cannot be loaded: SyntaxError: Unexpected token/,
    ],
    ['throws at import', "\nthrow new Error('no weights')", /: no weights \(model.mjs:2\)$/],
    ['imports what is not there', "import './other.mjs'; export const handle = 1", /other.mjs/],
    ['exports no handle', 'export const predict = 1', /should export a function handle\(inputs, context\)/],
    ['exports a handle that is none', 'export const handle = 1', /should export a function handle/],
    ['exports a load that is none', `${ECHO} export const load = 1`, /load should be a function/],
    ['throws in load', `${ECHO} export const load = () => { throw new Error('no') }`, /cannot be loaded: no/],
    [
      'rejects in load',
      `${ECHO} export const load = async () => { throw new Error('no') }`,
      /cannot be loaded: no/,
    ],
    ['loops at import', 'for (;;) {}', /took longer than 150 ms to load/],
    ['loops in load', `${ECHO} export const load = () => { for (;;) {} }`, /took longer than 150 ms to load/],
    [
      'waits for good in load',
      `${ECHO} export const load = () => new Promise(() => {})`,
      /longer than 150 ms/,
    ],
    ['waits for good at import', `await new Promise(() => {}); ${ECHO}`, /longer than 150 ms/],
    ['is a module that never resolves', 'export const then = () => {}', /longer than 150 ms/],
    ['exits', 'process.exit(7)', /ended its own thread \(process.exit, code 7\)/],
    ['exits in load', `${ECHO} export const load = () => process.exit()`, /ended its own thread/],
    [
      'rejects elsewhere',
      `${ECHO} Promise.reject(1); await new Promise(() => {})`,
      /left a rejection unhandled/,
    ],
    ['fills the heap', 'const all = []; for (;;) all.push([all.length])', /ran out of memory/],
  ])('is refused: one that %s', async (name, source, message) => {
    const isSlow = /longer/.test(message.source);
    const engine = engineWith({ limits: { heapMb: 16, loadMs: isSlow ? 150 : 10_000 } });

    await expect(load(source, { engine }), name).rejects.toMatchObject({
      code: 'ModelError',
      message: expect.stringMatching(message),
    });
  });

  it('is refused: one that exports tensors that are none', async () => {
    await expect(load(`${ECHO} export const inputs = [{ name: 'x', type: 'float' }];`)).rejects.toMatchObject(
      {
        code: 'ModelError',
        message: expect.stringMatching(
          /^model.mjs cannot be loaded: inputs\[0\].type should be one of float32, /,
        ),
      },
    );
  });

  it('says nothing of this machine', async () => {
    const error: unknown = await load("import './gone.mjs'").catch((reason: unknown) => reason);

    expect((error as Error).message).toMatch(/gone.mjs/);
    expect((error as Error).message).not.toMatch(/lambda-mme-test|\n/);
  });
});

describe('a thread that dies while it starts', () => {
  /** Loads once; a file that it leaves makes every later thread fail. */
  const ONCE = `
    import { existsSync, writeFileSync, rmSync } from 'node:fs';
    const seen = new URL('./seen', import.meta.url);
    export const load = () => {
      if (existsSync(seen)) throw new Error('only once');
      writeFileSync(seen, '');
    };
    export const handle = (order) => {
      if (order === 'heal') rmSync(seen);
      if (order === 'exit' || order === 'heal') process.exit();
      return 'fine';
    };
  `;
  const run = async (model: Awaited<ReturnType<typeof load>>, order: string) =>
    model.run(document(order), runContext()).catch(({ message }: Error) => message);

  it('is left alone after the third time, until a minute is over', async () => {
    let nowMs = 0;
    await using model = await load(ONCE, { engine: engineWith({ now: () => nowMs }) });
    await run(model, 'exit');

    for (const atMs of [1_000, 2_000, 3_000]) {
      nowMs = atMs;
      expect(await run(model, '')).toMatch(/^model.mjs cannot be loaded: only once/);
    }
    nowMs = 60_999;
    expect(await run(model, '')).toMatch(
      /^model.mjs failed to start 3 times within a minute, next try in 1 s: .*only once/,
    );
    nowMs = 61_000;
    expect(await run(model, '')).toMatch(/^model.mjs cannot be loaded: only once/);
  });

  it('does not count where the model was loaded before it died', async () => {
    await using model = await load(ONCE.replace("order === 'exit' || ", ''), {
      engine: engineWith({ now: () => 0 }),
    });

    for (let death = 0; death < 5; death += 1)
      expect(await run(model, 'heal')).toMatch(/ended its own thread/);

    expect(await run(model, '')).toEqual({ document: 'fine' });
  });
});
