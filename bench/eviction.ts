/**
 * Which policy should let models go? Greedy dual size frequency (lib/cache/greedy-dual.ts) beside the lru-cache library on one
 * worker's memory, over Zipf traces: hit rates, and milliseconds of loading per call. A simulation: no clock, seeded.
 * Run: npm run bench:eviction [-- --calls 200000 --json]
 */
import { parseArgs } from 'node:util';
import { LRUCache } from 'lru-cache';
import { GreedyDualCache } from '../lib/cache/greedy-dual.ts';

const { values: options } = parseArgs({
  options: { calls: { type: 'string', default: '200000' }, json: { type: 'boolean', default: false } },
});
const CALLS = Number(options.calls);
const MODELS = 2000;
const SEEDS = [1, 2, 3];
/** Figures of this project: 4 ms to open a small model, 50 MB/s from S3 to memory. */
const LOAD_MS = 4;
const BYTES_PER_MS = 50_000;

interface Model {
  readonly name: string;
  readonly bytes: number;
  readonly loadMs: number;
}

interface Policy {
  /** @returns whether the model was there; it is afterwards. */
  call(model: Model): boolean;
}

/** mulberry32 */
const randomOf = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
};

const SIZES: Readonly<Record<string, (random: () => number) => number>> = {
  'all of 1 MB': () => 1e6,
  'log-normal, median 200 KB': (random) => logNormal(random, 200e3, 1.8),
  'four in five of 200 KB, one of 20 MB': (random) => (random() < 0.8 ? 200e3 : 20e6),
};

const logNormal = (random: () => number, median: number, sigma: number): number => {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Math.min(200e6, Math.max(20e3, median * Math.exp(sigma * normal)));
};

/** Ranks drawn by Zipf's law; every `driftEvery` calls the ranks move on by a tenth of the models. */
const trace = function* (models: readonly Model[], skew: number, random: () => number, driftEvery: number) {
  const sums: number[] = [];
  let total = 0;
  for (let rank = 1; rank <= models.length; rank++) {
    total += rank ** -skew;
    sums.push(total);
  }
  for (let call = 0; call < CALLS; call++) {
    const point = random() * total;
    let low = 0;
    for (let high = sums.length - 1; low < high; ) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? 0) < point) low = middle + 1;
      else high = middle;
    }
    const moved = Math.floor(call / driftEvery) * Math.floor(models.length / 10);
    const model = models[(low + moved) % models.length];
    if (model !== undefined) yield model;
  }
};

const lru = (maxBytes: number): Policy => {
  const cache = new LRUCache<string, Model>({
    maxSize: maxBytes,
    sizeCalculation: ({ bytes }) => Math.ceil(bytes),
  });
  return {
    call(model) {
      if (cache.get(model.name) !== undefined) return true;
      cache.set(model.name, model);
      return false;
    },
  };
};

const greedyDual = (maxBytes: number): Policy => {
  const cache = new GreedyDualCache<Model>({ maxBytes, isPinned: () => false, onEvict: () => undefined });
  return {
    call(model) {
      if (cache.get(model.name) !== undefined) return true;
      if (cache.makeRoom(model.bytes))
        cache.set(model.name, model, { bytes: model.bytes, cost: model.loadMs });
      return false;
    },
  };
};

const POLICIES = { lru, greedyDual } as const;

const simulate = (policy: Policy, calls: Iterable<Model>): { hits: number; loadMsPerCall: number } => {
  let [hits, loadMs] = [0, 0];
  for (const model of calls) {
    if (policy.call(model)) hits += 1;
    else loadMs += model.loadMs;
  }
  return { hits: hits / CALLS, loadMsPerCall: loadMs / CALLS };
};

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

const rows = Object.entries(SIZES).flatMap(([sizes, draw]) =>
  [0.8, 1.0, 1.2].flatMap((skew) =>
    [0.05, 0.2].flatMap((room) =>
      [CALLS, CALLS / 10].map((driftEvery) => {
        const results = SEEDS.map((seed) => {
          const random = randomOf(seed);
          const models = Array.from({ length: MODELS }, (_, index) => {
            const bytes = draw(random);
            return { name: String(index), bytes, loadMs: LOAD_MS + bytes / BYTES_PER_MS };
          });
          const maxBytes = Math.round(room * models.reduce((sum, { bytes }) => sum + bytes, 0));
          const run = (name: keyof typeof POLICIES) =>
            simulate(POLICIES[name](maxBytes), trace(models, skew, randomOf(seed + 100), driftEvery));
          return { lru: run('lru'), greedyDual: run('greedyDual') };
        });
        return {
          sizes,
          skew,
          room,
          drifts: driftEvery < CALLS,
          lruHits: mean(results.map((each) => each.lru.hits)),
          greedyDualHits: mean(results.map((each) => each.greedyDual.hits)),
          lruLoadMs: mean(results.map((each) => each.lru.loadMsPerCall)),
          greedyDualLoadMs: mean(results.map((each) => each.greedyDual.loadMsPerCall)),
        };
      }),
    ),
  ),
);

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const table = [
  `${MODELS} models, ${CALLS} calls by Zipf's law, mean of ${SEEDS.length} seeds; "room" is memory as a share of all models' bytes`,
  '',
  '| sizes | skew | room | popularity | hits, LRU | hits, GDSF | loading per call, LRU | GDSF |',
  '|---|---|---|---|---|---|---|---|',
  ...rows.map(
    (row) =>
      `| ${row.sizes} | ${row.skew.toFixed(1)} | ${percent(row.room)} | ${row.drifts ? 'drifts' : 'steady'} | ${percent(row.lruHits)} | ${percent(row.greedyDualHits)} | ${row.lruLoadMs.toFixed(2)} ms | ${row.greedyDualLoadMs.toFixed(2)} ms |`,
  ),
].join('\n');
process.stdout.write(options.json ? `${JSON.stringify(rows, null, 2)}\n` : `${table}\n`);
