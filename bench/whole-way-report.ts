import { barChart } from './bar-chart.ts';
import type { ColdLoads } from './cold-loads.ts';
import type { FirstAnswer } from './first-answer.ts';
import { MEMORY_STEPS, type WorkerFigures } from './measure-worker.ts';
import type { Load } from './statistics.ts';
import { describePattern, type Pattern } from './traffic.ts';

/** Medians of the rounds of one pattern. */
export interface Summary {
  readonly pattern: Pattern;
  readonly ours: Load;
  readonly floor: Load;
  readonly hops: Load;
  /** Other model servers; `ratio` is of requests/s, ours to theirs, round by round. */
  readonly others: readonly { readonly name: string; readonly load: Load; readonly ratio: number }[];
  /** Of requests/s, ours to the floor's, round by round. */
  readonly ratio: number;
  /** Milliseconds for each call of ours. */
  readonly cpu: { readonly router: number; readonly worker: number; readonly cloud: number };
}

export interface Report {
  readonly node: string;
  readonly cores: number;
  readonly cpu: string;
  readonly loadAverageBefore: number;
  readonly models: string;
  readonly connections: string;
  readonly rounds: string;
  readonly seconds: string;
  readonly environments: number;
  readonly patterns: readonly Summary[];
  /** Slowest pattern to fastest. */
  readonly evenness: number;
  readonly byConnections: readonly { readonly connections: number; readonly load: Load }[];
  readonly tableRequests: readonly { readonly rows: number; readonly per1000: number }[];
  readonly cold: ColdLoads;
  readonly first: FirstAnswer;
  readonly worker: WorkerFigures;
  readonly perModelKib: { readonly ours: number; readonly floor: number };
  readonly createMs: number;
}

export const tableOf = (report: Report): string => {
  const { patterns, byConnections, tableRequests, cold, first, perModelKib, worker } = report;
  return `# The whole way, measured

${report.cores} cores (${report.cpu}), Node ${report.node}, load average before ${report.loadAverageBefore.toFixed(2)}, LOCAL_LIMITS=off; on Linux every process has SCHED_BATCH.
${report.models} models, ${report.connections} connections, ${report.rounds} interleaved rounds of ${report.seconds} s for each pattern, each after 2 s of the same load, medians; ${report.environments} environments at the end.
Written by \`npm run bench\`.

| | requests/s | p50 ms | p99 ms | max ms | failed | of the floor | router, worker, local cloud: ms of CPU a call |
|---|---|---|---|---|---|---|---|
${patterns.flatMap(linesOf).join('\n')}

${aheadOf(patterns)}
Slowest pattern / fastest: **${report.evenness.toFixed(3)}**; of the floor: ${evennessOf(patterns.map(({ floor }) => floor)).toFixed(3)}.

| connections | requests/s | p50 ms | p99 ms |
|---|---|---|---|
${byConnections.map(({ connections, load }) => `| ${connections} | ${load.perSecond.toFixed(0)} | ${load.p50} | ${load.p99} |`).join('\n')}

| | |
|---|---|
| cold load beyond a warm call, 30 ms before each answer of S3 | ${cold.beyondWarmMs.toFixed(1)} ms |
| a worker without an environment: Invoke to answer, onnxruntime and the model included | ${first.ms.toFixed(0)} ms, ${first.cpuMs.toFixed(0)} ms of CPU, ${(first.readBytes / 1024).toFixed(0)} KiB read |
| S3 requests of a cold load | ${cold.s3Requests.toFixed(2)} |
${tableRequests.map(({ rows, per1000 }) => `| DynamoDB requests for each 1,000 calls, ${rows.toLocaleString('en')} rows, of all functions | ${per1000.toFixed(2)} |`).join('\n')}
| one worker by itself: a warm call beyond raw onnxruntime, a cold load beyond GET and raw onnxruntime | ${(worker.warm.ours - worker.warm.bare).toFixed(1)} µs, ${(worker.cold.ours - worker.cold.bare).toFixed(2)} ms |
| its memory with one model | ${(worker.memory.ours.first / 1024 / 1024).toFixed(0)} MiB |
${MEMORY_STEPS.map((step, index) => `| its memory for each model beyond the first, ${step.toLocaleString('en')} models | ${((worker.memory.ours.beyondFirst[index] ?? Number.NaN) / 1024).toFixed(0)} KiB |`).join('\n')}
| memory for each loaded model, with what a worker grows by as it comes under load: whole way, floor | ${perModelKib.ours.toFixed(0)}, ${perModelKib.floor.toFixed(0)} KiB |
| \`session.create\` alone | ${report.createMs.toFixed(2)} ms |
`;
};

const linesOf = ({ pattern, ours, floor, hops, others, ratio, cpu }: Summary): readonly string[] => {
  const cpuTimes = [cpu.router, cpu.worker, cpu.cloud].map((ms) => ms.toFixed(3)).join(', ');
  const line = (name: string, { perSecond, p50, p99, max, failed }: Load, more: string): string =>
    `| ${name}, ${describePattern[pattern]} | ${perSecond.toFixed(0)} | ${p50} | ${p99} | ${max} | ${failed} | ${more} |`;
  const share = (load: Load): string => (load.perSecond / floor.perSecond).toFixed(3);
  return [
    line('whole way', ours, `**${ratio.toFixed(3)}** | ${cpuTimes}`),
    line('floor', floor, '1 | '),
    line('hops alone', hops, `${share(hops)} | `),
    ...others.map(({ name, load }) => line(name, load, `${share(load)} | `)),
  ];
};

/** A line for each other server: how many times its requests/s ours are, for each pattern. */
const aheadOf = (patterns: readonly Summary[]): string =>
  (patterns[0]?.others ?? [])
    .map(({ name }, index) => {
      const ratios = patterns.map(({ others }) => (others[index]?.ratio ?? Number.NaN).toFixed(2));
      return `Whole way / ${name}, requests/s in the same rounds, one figure for each pattern: **${ratios.join(', ')}**.\n`;
    })
    .join('\n');

/** Slowest to fastest. */
export const evennessOf = (loads: readonly Load[]): number => {
  const perSecond = loads.map((load) => load.perSecond);
  return Math.min(...perSecond) / Math.max(...perSecond);
};

export const chartOf = (report: Report): string => {
  const { patterns } = report;
  const rates = (of: (summary: Summary) => Load | undefined): readonly (number | undefined)[] =>
    patterns.map((summary) => of(summary)?.perSecond);
  return barChart({
    title: `requests/s over ${report.models} models, ${report.connections} connections, ${report.cores} cores`,
    yLabel: 'requests/s',
    groups: patterns.map(({ pattern }) => describePattern[pattern]),
    series: [
      { name: 'floor: one process', values: rates(({ floor }) => floor) },
      { name: 'hops alone', values: rates(({ hops }) => hops) },
      { name: 'whole way', values: rates(({ ours }) => ours) },
      ...(patterns[0]?.others ?? []).map(({ name }, index) => ({
        name,
        values: rates(({ others }) => others[index]?.load),
      })),
    ],
  });
};
