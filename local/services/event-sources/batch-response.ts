/**
 * Which messages of a batch go back to the queue, by what the function answered (Lambda developer guide, "Reporting
 * batch item failures"): none for an empty answer or an empty list; all for an answer of another form, or one that
 * names a message that was not in the batch.
 */
export const parseFailures = (payload: string, ids: readonly string[]): ReadonlySet<string> => {
  const all = new Set(ids);
  const answer = parseJson(payload);
  if (answer === null) return new Set();
  if (!isRecord(answer)) return all;
  const failures = answer['batchItemFailures'] ?? [];
  if (!Array.isArray(failures)) return all;
  const named = failures.map((failure: unknown) =>
    isRecord(failure) ? failure['itemIdentifier'] : undefined,
  );
  return named.every((id) => typeof id === 'string' && all.has(id)) ? new Set(named as string[]) : all;
};

/** @returns `null` for no answer, `undefined` for what is no JSON */
const parseJson = (payload: string): unknown => {
  if (payload === '') return null;
  try {
    return JSON.parse(payload) as unknown;
  } catch {
    return undefined;
  }
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
