import { beforeEach, describe, expect, it } from 'vitest';
import { prepare } from '../../../functions/inference/prepare.ts';
import { ServingError } from '../../../lib/errors.ts';
import { memoryWorkerCatalog } from '../../fakes/memory-worker-catalog.ts';

let opened: string[];
let errors: unknown[];
let open: (name: string) => Promise<void>;
let room: number;
let catalog: ReturnType<typeof memoryWorkerCatalog>;

const run = (overrides: Partial<Parameters<typeof prepare>[0]> = {}): Promise<void> =>
  prepare({
    startsAhead: true,
    group: 'hot-00',
    version: '7',
    catalog,
    models: {
      open: async (name) => {
        await open(name);
        opened.push(name);
        return { model: {} as never, [Symbol.asyncDispose]: async () => undefined };
      },
      usage: () => ({
        models: Math.min(room, opened.length),
        memoryBytes: 0,
        maxMemoryBytes: 1,
        diskBytes: 0,
      }),
    },
    loadRuntime: async () => undefined,
    preloadMs: 10_000,
    timer: () => performance.now(),
    now: () => 1_700_000_000_000,
    onError: (error) => errors.push(error),
    ...overrides,
  });

beforeEach(() => {
  opened = [];
  errors = [];
  open = async () => undefined;
  room = 100;
  catalog = memoryWorkerCatalog(new Map([['hot-00', ['best', 'second', 'third']]]));
});

describe('prepare', () => {
  it("opens the group's models, the most valuable first, and reports each", async () => {
    await run();

    expect(opened).toEqual(['best', 'second', 'third']);
    expect(catalog.reports).toEqual([
      {
        group: 'hot-00',
        version: '7',
        reports: ['best', 'second', 'third'].map((model) => ({
          model,
          tookMs: expect.any(Number),
          atMs: 1_700_000_000_000,
        })),
      },
    ]);
  });

  it('does nothing in an environment that starts with a call', async () => {
    await run({ startsAhead: false });

    expect([opened, catalog.reports]).toEqual([[], []]);
  });

  it('reports a model that cannot be opened, and goes on with the others', async () => {
    open = async (name) => {
      if (name === 'best') throw new ServingError('ModelError', 'the artifact is refused');
      if (name === 'second') throw new Error('a bug');
    };

    await run();

    expect(opened).toEqual(['third']);
    expect(catalog.reports[0]?.reports).toMatchObject([
      { model: 'best', error: 'the artifact is refused' },
      { model: 'second', error: 'a bug' },
      { model: 'third' },
    ]);
  });

  it('goes no further than the time that there is', async () => {
    open = (name) => (name === 'best' ? new Promise(() => undefined) : Promise.resolve());

    await run({ preloadMs: 20 });

    expect(catalog.reports[0]?.reports).toMatchObject([
      { model: 'best', error: 'still loading when the time for loading ahead was up' },
      { model: 'second', error: expect.stringContaining('no time was left') },
      { model: 'third', error: expect.stringContaining('no time was left') },
    ]);
  });

  it('stops where a model would push out one that is worth more', async () => {
    room = 1;

    await run();

    expect(opened).toEqual(['best', 'second']);
  });

  it.each<[string, Partial<Parameters<typeof prepare>[0]>]>([
    [
      'the table does not answer',
      {
        catalog: {
          readPreloads: () => Promise.reject(new Error('x')),
          reportPreloads: async () => undefined,
        },
      },
    ],
    [
      'the report is not taken',
      { catalog: { readPreloads: async () => ['m'], reportPreloads: () => Promise.reject(new Error('x')) } },
    ],
    ['the runtime is missing', { loadRuntime: () => Promise.reject(new Error('x')) }],
  ])('never throws: %s', async (_, overrides) => {
    await expect(run(overrides)).resolves.toBeUndefined();

    expect(errors).toEqual([new Error('x')]);
  });
});
