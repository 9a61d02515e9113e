import { ControlError } from './control-error.ts';
import type { SageMakerRecord } from './records.ts';
import type { ListInput } from './schemas.ts';

/** A page of records as SageMaker's List operations filter, sort and page them. Pure. */
export const pageOf = (
  records: readonly SageMakerRecord[],
  input: ListInput,
): { readonly page: readonly SageMakerRecord[]; readonly NextToken?: string } => {
  const { NameContains = '', SortBy, SortOrder, MaxResults } = input;
  const found = records.filter(
    ({ name, createdAtMs }) =>
      name.toLowerCase().includes(NameContains.toLowerCase()) &&
      createdAtMs < 1000 * (input.CreationTimeBefore ?? Number.POSITIVE_INFINITY) &&
      createdAtMs > 1000 * (input.CreationTimeAfter ?? Number.NEGATIVE_INFINITY),
  );
  const byName = (a: SageMakerRecord, b: SageMakerRecord): number => (a.name < b.name ? -1 : 1);
  const sorted = found.toSorted((a, b) =>
    SortBy === 'CreationTime' ? a.createdAtMs - b.createdAtMs || byName(a, b) : byName(a, b),
  );
  if (SortOrder === 'Descending') sorted.reverse();
  const start = input.NextToken === undefined ? 0 : startAfter(sorted, input.NextToken);
  const page = sorted.slice(start, start + MaxResults);
  const last = page.at(-1);
  return start + MaxResults < sorted.length && last !== undefined
    ? { page, NextToken: Buffer.from(last.name).toString('base64url') }
    : { page };
};

/** The token names the last one of the page before. */
const startAfter = (sorted: readonly SageMakerRecord[], token: string): number => {
  const name = Buffer.from(token, 'base64url').toString();
  const index = sorted.findIndex((each) => each.name === name);
  if (index < 0)
    throw new ControlError('NextToken is not of this list, or what it names is gone: begin anew');
  return index + 1;
};
