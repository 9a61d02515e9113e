import { parseArgs } from 'node:util';
import { PATTERNS, type PatternName } from './patterns.ts';

export const HELP = `Usage: npm run load -- [--pattern even|hot|few|all] [--rate N | --concurrency N] [--seconds N]

Calls the models of a running endpoint, and reports throughput, latency and errors. Without --url it calls the
endpoint that npm start runs on this machine.

  --pattern even      all models in turn (default)
            hot       95 % of the calls to one model, the rest even over the others
            few       90 % to ten models, the rest even over the others
            all       even, hot and few one after another, and how near their throughputs are
  --rate N            start N calls a second, answered or not; latency counts from when a call was due
  --max-in-flight N   with --rate: calls that may wait for answers; any more are skipped, and told (default 1000)
  --concurrency N     N connections, each calls again once it is answered (default, with 8)
  --seconds N         how long each pattern runs (default 10)
  --models N          call the first N models (default: as many as npm start uploaded; with --url 1000)
  --prefix TEXT       models are TEXT0001.tar.gz and on (default diabetes-); they take 10 numbers a row
  --url URL           another endpoint, which may be anywhere; needs --endpoint
  --endpoint NAME     its EndpointName
  --json              the report as one JSON object on stdout
  --help              this text

Ctrl-C ends early, waits for the calls in flight, and reports; a second one gives those calls up.
The first calls of a model load it: run twice to measure warm models. With --concurrency an endpoint that answers 429
is called again at once, whatever its Retry-After says: offer it a --rate to see what it can do.
LOCAL_DIR=.local is the folder whose endpoint.json says where the endpoint is, and MME_API_KEY a key for --url.`;

/** `rate`: an open model, calls arrive whatever the answers do. `concurrency`: a closed one. */
export type Pace =
  | { readonly kind: 'rate'; readonly callsPerSecond: number; readonly maxInFlight: number }
  | { readonly kind: 'concurrency'; readonly connections: number };

export interface LoadOptions {
  readonly help: boolean;
  readonly json: boolean;
  readonly patterns: readonly PatternName[];
  readonly pace: Pace;
  readonly seconds: number;
  /** Absent: as many as the endpoint has. */
  readonly models: number | undefined;
  readonly prefix: string;
  /** Absent: the endpoint that runs on this machine. */
  readonly remote: { readonly url: string; readonly endpointName: string } | undefined;
}

/** Flags that cannot be obeyed; the message says which and why. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** @throws UsageError */
export const parseArguments = (args: readonly string[]): LoadOptions => {
  const flags = readFlags(args);
  return {
    help: flags.help ?? false,
    json: flags.json ?? false,
    patterns: parsePatterns(flags.pattern ?? 'even'),
    pace: parsePace(flags),
    seconds: parseNumber('--seconds', flags.seconds ?? '10', { max: 86_400 }),
    models: flags.models === undefined ? undefined : parseWhole('--models', flags.models, 1_000_000),
    prefix: flags.prefix ?? 'diabetes-',
    remote: parseRemote(flags.url, flags.endpoint),
  };
};

type Flags = ReturnType<typeof readFlags>;

const readFlags = (args: readonly string[]) => {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const options = {
    pattern: text,
    rate: text,
    'max-in-flight': text,
    concurrency: text,
    seconds: text,
    models: text,
    prefix: text,
    url: text,
    endpoint: text,
    json: flag,
    help: flag,
  };
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
};

const parsePatterns = (text: string): readonly PatternName[] => {
  if (text === 'all') return PATTERNS;
  const pattern = PATTERNS.find((name) => name === text);
  if (pattern !== undefined) return [pattern];
  throw new UsageError(`--pattern must be ${PATTERNS.join(', ')} or all, but is ${JSON.stringify(text)}`);
};

const parsePace = ({ rate, concurrency, 'max-in-flight': maxInFlight }: Flags): Pace => {
  if (rate === undefined) {
    if (maxInFlight !== undefined) throw new UsageError('--max-in-flight goes with --rate only');
    return {
      kind: 'concurrency',
      connections: parseWhole('--concurrency', concurrency ?? '8', 10_000),
    };
  }
  if (concurrency !== undefined) throw new UsageError('give --rate or --concurrency, not both');
  return {
    kind: 'rate',
    callsPerSecond: parseNumber('--rate', rate, { max: 100_000 }),
    maxInFlight: parseWhole('--max-in-flight', maxInFlight ?? '1000', 100_000),
  };
};

const parseRemote = (url: string | undefined, endpointName: string | undefined): LoadOptions['remote'] => {
  if (url === undefined && endpointName === undefined) return undefined;
  if (url === undefined) throw new UsageError('--endpoint needs --url too');
  if (!/^https?:\/\/./.test(url) || !URL.canParse(url)) {
    throw new UsageError(`--url must be http:// or https://, but is ${JSON.stringify(url)}`);
  }
  if (!endpointName) throw new UsageError('--url needs --endpoint too, the EndpointName to call there');
  return { url, endpointName };
};

const parseWhole = (flag: string, text: string, max: number): number => {
  const value = parseNumber(flag, text, { max });
  if (Number.isInteger(value)) return value;
  throw new UsageError(`${flag} must be a whole number, but is ${JSON.stringify(text)}`);
};

const parseNumber = (flag: string, text: string, { max }: { max: number }): number => {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value > 0 && value <= max) return value;
  throw new UsageError(
    `${flag} must be a number above 0 and at most ${max.toLocaleString('en')}, but is ${JSON.stringify(text)}`,
  );
};
