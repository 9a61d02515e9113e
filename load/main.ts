/** Load in the three patterns of the AWS article on multi-model endpoints. Run: npm run load -- --help */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigurationError } from '../lib/env.ts';
import { parseSettings } from '../local/settings.ts';
import { HELP, type LoadOptions, parseArguments, UsageError } from './arguments.ts';
import { runClosedLoop } from './closed-loop.ts';
import { systemClock } from './loop.ts';
import { runOpenLoop } from './open-loop.ts';
import { createPattern, modelNames, modelsNeeded, type PatternName } from './patterns.ts';
import { showProgress } from './progress.ts';
import { createRecorder } from './recorder.ts';
import { createReport, type PatternRun, type Report, reportText } from './report.ts';
import { createSender, type Sender } from './send.ts';
import { NoTarget, readLocalTarget, remoteTarget } from './target.ts';

/** The same calls in the same order each time. */
const SEED = 1;

interface Work {
  readonly options: LoadOptions;
  readonly models: readonly string[];
  readonly sender: Sender;
  readonly stop: AbortSignal;
}

const runLoad = async (options: LoadOptions): Promise<Report> => {
  const target = options.remote
    ? remoteTarget(options.remote, process.env['MME_API_KEY'])
    : await readLocalTarget(parseSettings(process.env).directory);
  const models = modelNames(options.prefix, options.models ?? target.models);
  requireModels(options.patterns, models.length);

  const sender = createSender(target.invocations, await readBody(), target.headers);
  const work = { options, models, sender, stop: stopOnSignal(sender) };
  const runs: PatternRun[] = [];
  for (const pattern of options.patterns) {
    if (!work.stop.aborted) runs.push(await runPattern(pattern, work));
  }
  sender.close();
  const { pace, seconds } = options;
  return createReport({ url: target.invocations.href, models: models.length, pace, seconds }, runs);
};

const runPattern = async (pattern: PatternName, work: Work): Promise<PatternRun> => {
  const { models, sender, stop } = work;
  const { pace, seconds } = work.options;
  const recorder = createRecorder();
  const next = createPattern(pattern, models, SEED);
  const loop = { next, send: sender.send, recorder, clock: systemClock, seconds, stop };

  const progress = showProgress(pattern, recorder, process.stderr);
  const startedAtMs = performance.now();
  await (pace.kind === 'rate' ? runOpenLoop(loop, pace) : runClosedLoop(loop, pace.connections));
  const elapsedSeconds = (performance.now() - startedAtMs) / 1000;
  progress.end();
  return { pattern, elapsedSeconds, figures: recorder.figures() };
};

const requireModels = (patterns: readonly PatternName[], models: number): void => {
  const pattern = patterns.find((name) => modelsNeeded(name) > models);
  if (pattern === undefined) return;
  throw new UsageError(
    `--pattern ${pattern} needs ${modelsNeeded(pattern)} models or more, but there are ${models}: see --models`,
  );
};

const readBody = async (): Promise<string> => {
  const path = join(import.meta.dirname, '../examples/sklearn/artifacts/diabetes.expected.json');
  const { inputs } = JSON.parse(await readFile(path, 'utf8')) as { inputs: readonly (readonly number[])[] };
  return JSON.stringify({ instances: inputs.slice(0, 1) });
};

/** On Ctrl-C both the terminal and npm send SIGINT: two that come at once are one. */
const ONE_SIGNAL_MS = 500;

const stopOnSignal = (sender: Sender): AbortSignal => {
  const stop = new AbortController();
  let stoppedAtMs = Number.POSITIVE_INFINITY;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // Whoever asks twice does not want to wait for answers.
      if (performance.now() - stoppedAtMs > ONE_SIGNAL_MS) sender.close();
      if (!stop.signal.aborted) stoppedAtMs = performance.now();
      stop.abort();
    });
  }
  return stop.signal;
};

const fail = (error: unknown): number => {
  const text = explain(error);
  process.stderr.write(`${error instanceof UsageError ? `${text}\n\n${HELP}` : text}\n`);
  return error instanceof UsageError ? 2 : 1;
};

const explain = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const isForTheReader = [UsageError, NoTarget, ConfigurationError].some((kind) => error instanceof kind);
  return isForTheReader ? error.message : (error.stack ?? error.message);
};

const main = async (): Promise<number> => {
  const options = parseArguments(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  const report = await runLoad(options);
  process.stdout.write(`${options.json ? JSON.stringify(report, null, 2) : reportText(report)}\n`);
  return report.runs.some(({ succeeded }) => succeeded > 0) ? 0 : 1;
};

process.exitCode = await main().catch(fail);
