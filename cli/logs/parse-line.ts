/** When a line was written, in epoch milliseconds, as Powertools, EMF and Lambda itself (`time`) say it. */
export const timeOf = (text: string): number | undefined => {
  const record = parseRecord(text);
  const time = record?.['timestamp'] ?? record?.['time'];
  if (typeof time === 'string') return Number.isNaN(Date.parse(time)) ? undefined : Date.parse(time);
  const { Timestamp } = (record?.['_aws'] ?? {}) as { readonly Timestamp?: unknown };
  return typeof Timestamp === 'number' ? Timestamp : undefined;
};

/** EMF: metrics on their way to CloudWatch, and nothing for people. */
export const isMetrics = (text: string): boolean => text.startsWith('{"_aws"');

export const parseRecord = (text: string): Readonly<Record<string, unknown>> | undefined => {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
};
