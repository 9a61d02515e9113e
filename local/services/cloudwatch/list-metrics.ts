import { encodeDimensions } from './dimensions.ts';
import { type Fields, readOptionalText, readStructures, readText } from './fields.ts';
import type { Series } from './metric-store.ts';
import { decodeToken, encodeToken } from './next-token.ts';
import type { Operation } from './operation.ts';

const PAGE_SIZE = 500;

/** What has data of the last 3 hours. Not as on AWS: a new metric is listed at once. */
export const listMetrics: Operation = (input, { store }) => {
  const matches = createFilter(input);
  const { offset } = decodeToken(readOptionalText(input, 'NextToken')) ?? { offset: 0 };
  const found = store.all().filter(matches);
  const endOffset = offset + PAGE_SIZE;
  return {
    Metrics: found.slice(offset, endOffset).map(({ namespace, name, dimensions }) => ({
      Namespace: namespace,
      MetricName: name,
      Dimensions: encodeDimensions(dimensions),
    })),
    NextToken: endOffset < found.length ? encodeToken({ offset: endOffset, asOfMs: 0 }) : undefined,
  };
};

const createFilter = (input: Fields): ((series: Series) => boolean) => {
  const namespace = readOptionalText(input, 'Namespace');
  const name = readOptionalText(input, 'MetricName');
  const dimensions = readStructures(input, 'Dimensions').map((filter) => ({
    name: readText(filter, 'Name'),
    value: readOptionalText(filter, 'Value'),
  }));
  return (series) =>
    (namespace === undefined || series.namespace === namespace) &&
    (name === undefined || series.name === name) &&
    dimensions.every(
      (asked) =>
        Object.hasOwn(series.dimensions, asked.name) &&
        (asked.value === undefined || series.dimensions[asked.name] === asked.value),
    );
};
