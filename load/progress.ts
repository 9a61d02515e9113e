import type { PatternName } from './patterns.ts';
import type { Interval, Recorder } from './recorder.ts';

const TERMINAL_EVERY_MS = 1000;
const LINES_EVERY_MS = 5000;

/** Shows how it goes: on a terminal one line that is redrawn each second, elsewhere a line every five. */
export const showProgress = (
  pattern: PatternName,
  recorder: Recorder,
  output: NodeJS.WriteStream,
): { readonly end: () => void } => {
  const everyMs = output.isTTY ? TERMINAL_EVERY_MS : LINES_EVERY_MS;
  const startedAtMs = performance.now();
  let shownAtMs = startedAtMs;
  const show = (): void => {
    const nowMs = performance.now();
    const sinceSeconds = (nowMs - shownAtMs) / 1000;
    shownAtMs = nowMs;
    const elapsedSeconds = (nowMs - startedAtMs) / 1000;
    const line = progressLine(pattern, { elapsedSeconds, sinceSeconds, ...recorder.takeInterval() });
    // A line that wraps could not be redrawn; some terminals do not know how wide they are.
    const fits = line.slice(0, (output.columns || 80) - 1);
    output.write(output.isTTY ? `\r\x1b[2K${fits}` : `${line}\n`);
  };
  const timer = setInterval(show, everyMs);
  return {
    end: () => {
      clearInterval(timer);
      if (output.isTTY) output.write('\r\x1b[2K');
    },
  };
};

export const progressLine = (
  pattern: PatternName,
  now: Interval & { readonly elapsedSeconds: number; readonly sinceSeconds: number },
): string => {
  const { elapsedSeconds, sinceSeconds, answered, latencyMs, failed, inFlight } = now;
  return [
    `${pattern} ${elapsedSeconds.toFixed(0)} s`,
    `${(answered / sinceSeconds).toFixed(0)} calls/s`,
    `p50 ${latencyMs?.p50.toFixed(1) ?? '-'} ms`,
    `p99 ${latencyMs?.p99.toFixed(1) ?? '-'} ms`,
    `${failed} errors`,
    `${inFlight} in flight`,
  ].join('  ');
};
