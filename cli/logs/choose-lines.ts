import type { LogLine } from './log-source.ts';
import { isMetrics, parseRecord } from './parse-line.ts';

export interface Wanted {
  readonly model?: string | undefined;
  /** Warnings and errors only. */
  readonly isErrors: boolean;
  /** Metrics as well. */
  readonly isMetrics: boolean;
}

/** Which lines are wanted. */
export const chooseLines = ({ model, isErrors, isMetrics: isWithMetrics }: Wanted) => {
  const mention = model === undefined ? undefined : mentionOf(model);
  return ({ text }: LogLine): boolean => {
    if (!isWithMetrics && isMetrics(text)) return false;
    if (!isErrors && mention === undefined) return true;
    const record = parseRecord(text);
    return (
      (!isErrors || isTrouble(text, record)) &&
      (mention === undefined || stringsOf(record ?? text).some((each) => mention.test(each)))
    );
  };
};

/**
 * What was asked for: `tenant-7/churn` and `churn.onnx` are models, `router` is a function. As in paths, a model's name
 * without an ending is that of a `.tar.gz`.
 */
export const modelOf = (about: string): string | undefined => {
  if (/\.(tar\.gz|onnx)$/.test(about)) return about;
  return about.includes('/') ? `${about}.tar.gz` : undefined;
};

/** The name in full: `a.tar.gz` is no mention of `b/a.tar.gz`. */
const mentionOf = (model: string): RegExp =>
  new RegExp(`(?<![\\w./-])${model.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')}(?![\\w/-])`);

const isTrouble = (text: string, record: Readonly<Record<string, unknown>> | undefined): boolean => {
  const level = record?.['level'];
  return level === undefined
    ? /error|exception/i.test(text)
    : ['WARN', 'ERROR', 'CRITICAL', 'FATAL'].includes(String(level).toUpperCase());
};

const stringsOf = (value: unknown): readonly string[] => {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...stringsOf(inner)]);
};
