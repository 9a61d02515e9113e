import type { Clock } from '../../../lib/clock.ts';
import type { Handle } from '../../dispatch.ts';
import { createApi } from './api.ts';
import { parseEmfLine } from './emf.ts';
import type { RecordMetric } from './metric-datum.ts';
import { MetricStore } from './metric-store.ts';
import { createOutputLines } from './output-lines.ts';
import { createReportOnce } from './report-once.ts';
import { createSettling, type Settling } from './settling.ts';

export interface CloudWatchOptions {
  readonly now: Clock;
  /** 0..1, without 1. */
  readonly random: () => number;
  /**
   * A minute becomes visible between `minMs` and `maxMs` after its end; `correctedShare` of the (series, minute)
   * pairs show half of their samples until `correctedAfterMs` later.
   */
  readonly settling: Settling;
  readonly onError: (error: unknown) => void;
}

export interface CloudWatchService {
  readonly record: RecordMetric;
  /** What a function printed, in chunks as they came; lines of the embedded metric format become metrics. */
  readonly output: (streamId: string, text: string) => void;
  readonly outputEnded: (streamId: string) => void;
  readonly handle: Handle;
}

/** CloudWatch metrics in memory: 3 hours of them, as late and as incomplete at first as the real ones can be. */
export const createCloudWatch = (options: CloudWatchOptions): CloudWatchService => {
  const { now, random, settling, onError } = options;
  const store = new MetricStore({ now, onError });
  const chooseVisibility = createSettling(settling, random);
  const reportOnce = createReportOnce(onError);
  const onRejected = (reason: string): void => reportOnce('emf', `embedded metric format: ${reason}`);

  const lines = createOutputLines({
    onLine: (line) => {
      for (const datum of parseEmfLine(line, { nowMs: now(), onRejected })) store.record(datum);
    },
    onTooLong: () => reportOnce('line', 'a printed line of more than 1 MB was not read for metrics'),
  });

  return {
    record: (datum) => store.record(datum),
    output: (streamId, text) => lines.add(streamId, text),
    outputEnded: (streamId) => lines.end(streamId),
    handle: createApi({ context: () => ({ store, chooseVisibility, nowMs: now() }), onError }),
  };
};
