import { beforeEach, describe, expect, it } from 'vitest';
import { createCallNotes } from '../../../functions/inference/call-notes.ts';
import type { ModelShare } from '../../../lib/metrics/model-shares.ts';
import { type MemoryWorkerCatalog, memoryWorkerCatalog } from '../../fakes/memory-worker-catalog.ts';
import { type RecordingMetrics, recordingMetrics } from '../../fakes/recording-metrics.ts';

let metrics: RecordingMetrics;
let catalog: MemoryWorkerCatalog;
let published: ModelShare[];
let nowMs: number;
let etag: string;
let errors: unknown[];

const create = (overrides: Partial<Parameters<typeof createCallNotes>[0]> = {}) =>
  createCallNotes({
    metrics,
    catalog,
    models: { describe: () => ({ etag, sizeBytes: 1000, loadMs: 40 }) },
    publishShare: (share) => published.push(share),
    startsAhead: false,
    initMs: 120,
    tickMs: 60_000,
    group: 'cold-00',
    now: () => nowMs,
    onError: (error) => errors.push(error),
    ...overrides,
  });

const callFor = (notes: ReturnType<typeof createCallNotes>, model: string, calls: number): void => {
  for (let call = 0; call < calls; call++) {
    nowMs += 60_000 / calls;
    notes.note(model, 5, 0);
  }
};

beforeEach(() => {
  metrics = recordingMetrics();
  catalog = memoryWorkerCatalog();
  published = [];
  errors = [];
  nowMs = 1_700_000_000_000;
  etag = 'v1';
});

describe('what a worker tells the scaler', () => {
  it('has the start of an environment with the load of its first call, and no other load', () => {
    const notes = create();

    notes.note('a', 30, 20);
    notes.note('a', 5, 0);
    notes.note('b', 15, 10);

    expect(metrics.values('OnDemandStartTime')).toEqual([140_000]);
  });

  it('has nothing of it from an environment that was started ahead', () => {
    const notes = create({ startsAhead: true });

    notes.note('a', 30, 20);

    expect(metrics.values('OnDemandStartTime')).toEqual([]);
  });

  it('names the models with a real share once a minute, and writes once what was measured of them', async () => {
    const notes = create();
    callFor(notes, 'hot', 100);
    callFor(notes, 'hot', 101);
    await notes.settle();
    callFor(notes, 'hot', 101);
    await notes.settle();

    expect(published.length).toBeGreaterThanOrEqual(2);
    expect(published[0]).toMatchObject({ model: 'hot' });
    expect([...catalog.measured]).toEqual([['hot', { etag: 'v1', sizeBytes: 1000, loadMs: 40 }]]);
  });

  it('measures again what was replaced, and tries again what could not be written', async () => {
    let fails = true;
    const writes: string[] = [];
    const notes = create({
      catalog: {
        noteMeasured: async (model) => {
          if (fails) throw new Error('throttled');
          writes.push(`${model} ${etag}`);
        },
      },
    });
    const minute = async () => {
      callFor(notes, 'hot', 101);
      await notes.settle();
    };
    await minute();
    await minute();
    expect(errors.length).toBeGreaterThan(0);
    fails = false;
    await minute();
    etag = 'v2';
    await minute();
    await minute();

    expect(writes).toEqual(['hot v1', 'hot v2']);
  });
});
