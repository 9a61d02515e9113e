import { bytesText, type Output } from './output.ts';

const BAR_WIDTH = 24;
const EVERY_MS = 100;

/** Shows how far an upload is, ten times a second at most, and at its end. @returns to be called with all bytes so far */
export const createProgress = (
  sizeBytes: number,
  now: () => number,
  output: Pick<Output, 'progress'>,
): ((sentBytes: number) => void) => {
  const startedMs = now();
  let shownMs = Number.NEGATIVE_INFINITY;
  return (sentBytes) => {
    const atMs = now();
    if (sentBytes < sizeBytes && atMs - shownMs < EVERY_MS) return;
    shownMs = atMs;
    output.progress(progressText(sentBytes, sizeBytes, atMs - startedMs));
  };
};

/** `[========----] 66 %  1.2 MiB of 1.8 MiB, 640.0 KiB/s` */
export const progressText = (sent: number, size: number, tookMs: number): string => {
  const share = size === 0 ? 1 : Math.min(1, sent / size);
  const bar = '='.repeat(Math.round(BAR_WIDTH * share)).padEnd(BAR_WIDTH, '-');
  const rate = bytesText(Math.round((1000 * sent) / Math.max(1, tookMs)));
  return `[${bar}] ${Math.floor(100 * share)} %  ${bytesText(sent)} of ${bytesText(size)}, ${rate}/s`;
};
