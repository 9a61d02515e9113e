import { type Fields, readList, readText, toFields } from './fields.ts';
import { SqsError } from './sqs-error.ts';

const MAX_ENTRIES = 10;
const ENTRY_ID = /^[\w-]{1,80}$/;

/** @throws SqsError for what makes the whole request wrong, rather than one of its entries. */
export const readEntries = (input: Fields): readonly Fields[] => {
  const entries = readList(input, 'Entries').map((entry) => toFields(entry, 'Entries'));
  if (entries.length === 0) {
    throw new SqsError('EmptyBatchRequest', 'There should be at least one entry in the request.');
  }
  if (entries.length > MAX_ENTRIES) {
    const message = `Maximum number of entries per request are ${MAX_ENTRIES}. You have sent ${entries.length}.`;
    throw new SqsError('TooManyEntriesInBatchRequest', message);
  }
  const ids = entries.map((entry) => readText(entry, 'Id'));
  const wrong = ids.find((id) => !ENTRY_ID.test(id));
  if (wrong !== undefined) {
    const message =
      'A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.';
    throw new SqsError('InvalidBatchEntryId', message);
  }
  const repeated = ids.find((id, index) => ids.indexOf(id) !== index);
  if (repeated !== undefined) throw new SqsError('BatchEntryIdsNotDistinct', `Id ${repeated} repeated.`);
  return entries;
};

/** Runs each entry by itself: one that fails does not keep the others from succeeding. */
export const runBatch = async (
  entries: readonly Fields[],
  run: (entry: Fields) => Promise<Fields>,
): Promise<Fields> => {
  const Successful: Fields[] = [];
  const Failed: Fields[] = [];
  for (const entry of entries) {
    const Id = String(entry['Id']);
    try {
      Successful.push({ Id, ...(await run(entry)) });
    } catch (error) {
      if (!(error instanceof SqsError)) throw error;
      const { queryCode, message, isCallersFault } = error;
      Failed.push({ Id, Code: queryCode, Message: message, SenderFault: isCallersFault });
    }
  }
  return { Successful, Failed };
};
