import type { Architecture } from '../../lib/scaling/prices.ts';
import { lambdaPrices, price } from './prices.ts';

export const HOURS = 730;
const SECONDS = HOURS * 3600;
const MINUTES = HOURS * 60;

export interface Item {
  readonly name: string;
  readonly dollars: number;
  /** The arithmetic, in words. */
  readonly how: string;
}

export const total = (items: readonly Item[]): number => items.reduce((sum, { dollars }) => sum + dollars, 0);

export interface Watched {
  readonly alarms: boolean;
  readonly dashboard: boolean;
}

/**
 * What is there while nobody calls. Measured: reads and writes of an idle tick (they are in the code: R12), metrics, alarms. Not measured
 * on AWS: how long an idle tick takes there (0.2 s is taken), and how Lambda polls an idle queue (five pollers of 20 s are taken).
 */
export const atRest = ({ alarms, dashboard }: Watched): readonly Item[] => {
  const { onDemand } = lambdaPrices('x86_64');
  const tick = { seconds: 0.2, gb: 0.25, logKb: 0.5, metrics: 2, reads: 2, writes: 1 };
  const receives = 2 * 5 * 3 * MINUTES;
  const items: readonly (Item | undefined)[] = [
    dashboard
      ? { name: 'dashboard', dollars: price('dashboard'), how: 'one; `dashboard: false` leaves it out' }
      : undefined,
    alarms
      ? {
          name: 'alarms',
          dollars: ALARM_METRICS * price('alarmMetric') + SCALER_METRICS * price('customMetric'),
          how: `${ALARM_METRICS} metrics that alarms read, and ${SCALER_METRICS} metrics out of the scaler's log; \`alarms: false\``,
        }
      : undefined,
    {
      name: "scaler's reads of metrics",
      dollars: MINUTES * tick.metrics * price('metricRead'),
      how: `${MINUTES.toLocaleString('en')} ticks, ${tick.metrics} metrics each (R12)`,
    },
    {
      name: 'two queues, polled by Lambda',
      dollars: receives * price('sqsRequest'),
      how: `${receives.toLocaleString('en')} receives: five pollers each, of 20 s`,
    },
    {
      name: "scaler's time and requests",
      dollars: MINUTES * (price('lambdaRequest') + tick.seconds * tick.gb * onDemand),
      how: `${MINUTES.toLocaleString('en')} ticks of ${tick.seconds} s at 256 MB`,
    },
    {
      name: 'table',
      dollars: MINUTES * (tick.reads * price('dynamodbRead') + tick.writes * price('dynamodbWrite')),
      how: `${tick.reads} reads and ${tick.writes} write a tick; its size, and its backups, are cents`,
    },
    {
      name: 'key of the table',
      dollars: 12 * HOURS * price('kmsRequest'),
      how: 'one use in five minutes of the key that AWS manages, which is free itself',
    },
    {
      name: "scaler's log",
      dollars: ((MINUTES * tick.logKb) / 1e6) * price('logsIngested'),
      how: `one line of ${tick.logKb} KB a tick`,
    },
    {
      name: 'functions, aliases, versions, HTTP API, function URL, SSM parameter, schedule',
      dollars: 0,
      how: 'nothing while nobody calls',
    },
  ];
  return items.filter((item) => item !== undefined);
};

/** deploy/alarms.cjs; a test counts them. */
export const ALARM_METRICS = 16;
export const SCALER_METRICS = 4;

/** What is emitted while calls come: of the endpoint, of each group, of each model that a worker is busy with; a test counts them. */
export const ENDPOINT_METRICS = 14;
export const GROUP_METRICS = 4;
export const MODEL_METRICS = 2;

export interface Fleet {
  readonly models: number;
  /** Calls a second, on average over the month. */
  readonly rate: number;
  /** What a call takes in the worker, its loads included on average. */
  readonly milliseconds: number;
  readonly memoryMb: number;
  /** Provisioned all month. */
  readonly workers: number;
  readonly door: 'http-api' | 'function-url';
  readonly architecture: Architecture;
  /** Groups that are called. */
  readonly groups: number;
  /** Models that fill a tenth of a worker. */
  readonly busyModels: number;
}

/** A router waits for its worker: as long, and what it does itself. Not measured on AWS. */
const ROUTER_GB = 0.5;
const ROUTER_OWN_MS = 2;
/** A small model in memory, 90 KiB (bench/README.md). */
const MODEL_GB = 90 / 1024 / 1024;

/** What calls add to a month at rest. */
export const ofCalls = (fleet: Fleet): readonly Item[] => {
  const { rate, milliseconds, memoryMb, workers, door, architecture, groups, busyModels } = fleet;
  const prices = lambdaPrices(architecture);
  const calls = rate * SECONDS;
  const gb = memoryMb / 1024;
  const seconds = milliseconds / 1000;
  // A worker takes ten calls a second, or as many as fit: the rest runs on demand.
  const onWorkers = Math.min(rate, workers * Math.min(10, 1 / seconds)) * SECONDS;
  const metrics = ENDPOINT_METRICS + GROUP_METRICS * groups + MODEL_METRICS * busyModels;
  return [
    {
      name: door === 'http-api' ? 'HTTP API' : 'function URL',
      dollars: calls * price(door === 'http-api' ? 'httpApiRequest' : 'functionUrlRequest'),
      how: `${millions(calls)} calls`,
    },
    { name: "Lambda's requests", dollars: 2 * calls * price('lambdaRequest'), how: 'router and worker' },
    {
      name: 'router',
      dollars: calls * ROUTER_GB * ((milliseconds + ROUTER_OWN_MS) / 1000) * prices.onDemand,
      how: `512 MB for ${milliseconds + ROUTER_OWN_MS} ms: it waits for the worker`,
    },
    {
      name: 'workers, on demand',
      dollars: (calls - onWorkers) * gb * seconds * prices.onDemand,
      how: `${memoryMb} MB for ${milliseconds} ms, ${millions(calls - onWorkers)} calls`,
    },
    ...(workers === 0
      ? []
      : [
          {
            name: 'workers, provisioned',
            dollars: workers * SECONDS * gb * prices.idle + onWorkers * gb * seconds * prices.provisioned,
            how: `${workers} kept ready, ${millions(onWorkers)} calls`,
          },
        ]),
    {
      name: 'metrics',
      dollars: metrics * price('customMetric'),
      how: `${ENDPOINT_METRICS} of the endpoint, ${GROUP_METRICS} of each of ${groups} groups, ${MODEL_METRICS} of each of ${busyModels} busy models`,
    },
    {
      name: 'logs',
      // A flush of metrics is 1.5 KB, every ten seconds while an environment is called.
      dollars: ((busyEnvironments(fleet) * (SECONDS / 10) * 1.5) / 1e6) * price('logsIngested'),
      how: 'metrics every ten seconds from each environment; no line for a call that goes well',
    },
    {
      name: "scaler's reads of metrics",
      dollars: MINUTES * (2 + 6 * groups) * price('metricRead'),
      how: `six metrics of ${groups} groups a minute`,
    },
  ];
};

/** Of router and workers, on average. */
const busyEnvironments = ({ rate, milliseconds }: Fleet): number =>
  Math.max(1, (2 * rate * (milliseconds + ROUTER_OWN_MS)) / 1000) + 1;

export interface Instances {
  readonly type: string;
  readonly count: number;
  readonly dollars: number;
  readonly how: string;
}

/**
 * SageMaker's instances for the same: two at least, as its own advice for availability is; as many as the calls need at 50 % of their cores, as a
 * load that is not even must fit as well; as many as hold every model in memory.
 */
export const onSageMaker = ({ models, rate, milliseconds }: Fleet): Instances => {
  const type = { name: 'ml.m5.large', cores: 2, gb: 8, hour: price('sagemakerM5Large') };
  const byCores = (rate * milliseconds) / 1000 / (type.cores * 0.5);
  const byMemory = (models * MODEL_GB) / (type.gb - 2);
  const count = Math.max(2, Math.ceil(byCores), Math.ceil(byMemory));
  return {
    type: type.name,
    count,
    dollars: count * HOURS * type.hour,
    how: `calls fill ${byCores.toFixed(2)} at half of their cores, models ${byMemory.toFixed(2)}; two at least`,
  };
};

/** Calls a second from which instances are cheaper than these calls on demand: above it, and even all day. */
export const breakEven = (fleet: Fleet, watched: Watched): number => {
  const dollars = (rate: number): number => total(ofCalls({ ...fleet, rate })) + total(atRest(watched));
  let low = 0;
  let high = 1;
  while (high < 1e6 && dollars(high) < onSageMaker({ ...fleet, rate: high }).dollars) high *= 2;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (dollars(middle) < onSageMaker({ ...fleet, rate: middle }).dollars) low = middle;
    else high = middle;
  }
  return high;
};

const millions = (count: number): string => `${(count / 1e6).toFixed(count < 1e7 ? 2 : 0)} million`;
